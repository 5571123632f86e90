"""What one record may cost."""

from dataclasses import dataclass

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on input and output; ``config.LimitSettings`` is the operator's side of it."""

    max_record_bytes: int = 1_000_000
    """A larger raw record is one dead letter."""
    max_events_per_record: int = 10_000
    """A record with more events is one dead letter."""
    max_depth: int = 64
    """Nesting of arrays and objects; OneLogin's deepest shape has four levels."""
    max_message_bytes: int = 1_000_000
    """A scored record or dead letter over this leaves its raw text behind."""
    max_classified_bytes: int = 4_000_000
    """The same for the internal classified topic."""
