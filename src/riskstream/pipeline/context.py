"""What an operator says of users: as records of the classified topic, and into the rows."""

from typing import Final

import msgspec

from riskstream.events.context import UserContext
from riskstream.events.event import SCHEMA_VERSION, Classified, Facts, Origin
from riskstream.events.keys import user_key
from riskstream.events.record import Output
from riskstream.events.topics import CLASSIFIED
from riskstream.events.vocabulary import Category, EventOutcome, Kind
from riskstream.pipeline.overlay import Overlay
from riskstream.risk.context_rows import ContextRow

__all__ = ["REMOVED", "context_output", "fold_context"]

REMOVED: Final = UserContext(removed=True)
"""Says that nothing is known of a user any more."""
_ORIGIN: Final = "context"
"""Stands for the raw topic: such a record comes of none."""


def context_output(account_id: int, user_id: int, context: UserContext, at_ms: int) -> Output:
    """The record that tells assess.

    Args:
        account_id: Of the user.
        user_id: OneLogin's.
        context: All that is known of the user from now on.
        at_ms: When it was loaded, epoch milliseconds; tells records apart, and decides nothing.
    """
    key = user_key(account_id, user_id)
    facts = Facts(
        id=f"{account_id}:context-{user_id}-{at_ms}",
        time_ms=at_ms,
        account_id=account_id,
        subject=key,
        profiled=True,
        subject_type="user",
        event_type_id=0,
        category=Category.UNCATALOGED,
        kind=Kind.UNKNOWN,
        outcome=EventOutcome.UNKNOWN,
        user_id=user_id,
    )
    value = Classified(
        schema_version=SCHEMA_VERSION,
        facts=facts,
        origin=Origin(_ORIGIN, 0, 0, 0),
        context=context,
    )
    return Output(CLASSIFIED, key.encode(), _ENCODE(value))


def fold_context(subject: str, context: UserContext, offset: int, rows: Overlay) -> None:
    """Put in place what is known of a subject from this record on; the last one holds."""
    before = rows.context(subject)
    if before is None or offset > before.offset:
        rows.say(subject, None if context.removed else ContextRow(subject, offset, context))


_ENCODE: Final = msgspec.json.Encoder().encode
