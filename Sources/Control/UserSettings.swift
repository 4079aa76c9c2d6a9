// Who speaks to the daemon, or is spoken to, names settings.
@_exported public import UserSettings
