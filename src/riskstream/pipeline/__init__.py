"""The stages as verbs: whole chunks in, whole chunks out. Pure."""
