"""The published wire contract: the JSON Schemas that ship with riskstream, and their checker."""
