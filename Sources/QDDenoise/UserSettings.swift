// The interface of this module uses modes.
@_exported public import QDUserSettings
