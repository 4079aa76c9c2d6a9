// The interface of this module has settings in it.
@_exported public import UserSettings
