/// TFLite.
