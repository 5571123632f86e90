"""Attackers and what they do. They know their victims, not the policy."""
