"""Ordinary people: who they are, where they are, when they sign in, what they do."""
