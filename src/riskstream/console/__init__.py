"""The Events page: a store of its own, filled from Kafka, and the pages over it."""
