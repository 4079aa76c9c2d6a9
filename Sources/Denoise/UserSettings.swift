// Who makes a denoiser names its mode.
@_exported public import UserSettings
