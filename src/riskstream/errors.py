"""Every exception that riskstream raises on purpose.

Bad input is never one of them: it is a value, ``events.outcome.DeadLetter``.
"""

__all__ = [
    "CatalogError",
    "CheckFailedError",
    "ConfigError",
    "KafkaFaultError",
    "PolicyError",
    "RiskstreamError",
    "SourceError",
    "SourceFencedError",
    "StateStoreError",
]


class RiskstreamError(Exception):
    """Base of all; the CLI prints its text alone and exits with ``exit_code``.

    The text is one sentence that says what is wrong and what to do about it.
    """

    exit_code = 3


class ConfigError(RiskstreamError):
    """A setting, a file or an argument is wrong; nothing was started."""

    exit_code = 2


class CatalogError(ConfigError):
    """The catalog or an overlay has faults; the text lists each with its line."""


class PolicyError(ConfigError):
    """The policy file has faults; the text lists each with its place."""


class CheckFailedError(RiskstreamError):
    """A check ran and its answer is no."""

    exit_code = 1


class KafkaFaultError(RiskstreamError):
    """Kafka cannot be reached, lacks a topic, or refused what we need."""

    exit_code = 3


class SourceError(RiskstreamError):
    """OneLogin refuses what a source asks for, and asking again will not help."""

    exit_code = 3


class SourceFencedError(RiskstreamError):
    """Another process has taken over this source; this one must not go on."""

    exit_code = 3


class StateStoreError(RiskstreamError):
    """The state store on disk cannot be used; nothing is lost, since it only repeats Kafka."""

    exit_code = 3
