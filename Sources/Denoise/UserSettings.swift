// The interface of this module has modes in it.
@_exported public import UserSettings
