"""Telling people: which scored events are worth a message, what it says, and sending it."""
