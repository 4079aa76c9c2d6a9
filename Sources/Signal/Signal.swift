/// Signal.
