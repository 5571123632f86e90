"""The console's store and pages at ten million events."""
