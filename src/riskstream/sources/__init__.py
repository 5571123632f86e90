"""How raw events get in: OneLogin's webhook, and its events API."""
