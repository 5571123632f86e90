"""riskstream: OneLogin identity events in Kafka, classified, risk-scored and explained."""

from importlib.metadata import version

__all__ = ["__version__"]

__version__ = version("riskstream")
