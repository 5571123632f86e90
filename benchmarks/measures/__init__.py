"""The further measurements, one module each: ``measure(broker, options, tell)`` gives rows."""
