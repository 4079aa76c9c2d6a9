// The interface of this module uses settings.
@_exported public import QDUserSettings
