"""What the console keeps: scored events, rows of the tables, dead letters, feedback."""
