"""What flows: records, events, outcomes, topic names and subject keys. Pure."""
