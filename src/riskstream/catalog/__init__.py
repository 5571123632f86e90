"""What an event type means. Pure, with its data; only the loader reads a file."""
