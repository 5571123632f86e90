"""The published contract: JSON Schemas that ship with riskstream, their checker, and rights."""
