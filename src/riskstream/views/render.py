"""Views as bytes, and as records beside the scored ones."""

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import orjson

from riskstream.events.record import Output
from riskstream.events.topics import SCORED, VIEWS
from riskstream.events.vocabulary import View
from riskstream.views.cef import cef
from riskstream.views.ecs import ecs
from riskstream.views.ocsf import ocsf
from riskstream.views.scored import ScoredEvent, read_scored

__all__ = ["Rendered", "render", "view_outputs"]

CONTENT_TYPE: Final = "content-type"
_CONTENT: Final = {View.OCSF: b"application/json", View.ECS: b"application/json"}
_TEXT: Final = b"text/plain; charset=utf-8"
_SCORED_TOPICS: Final = frozenset(SCORED.values())


class Rendered(NamedTuple):
    """What became of a chunk's scored records."""

    outputs: list[Output]
    faults: list[tuple[str, str]]
    """Of records that a view could not be made of: their id, and the fault's class."""


def render(view: View, event: ScoredEvent, limit: int | None = None) -> bytes:
    """One event in one view.

    Args:
        view: Which.
        event: As read.
        limit: Most bytes; a longer JSON view loses the received text.
    """
    if view is View.CEF:
        return cef(event).encode()
    document = ocsf(event) if view is View.OCSF else ecs(event)
    value = orjson.dumps(document)
    if limit is not None and len(value) > limit:
        value = orjson.dumps(_without_text(view, document))
    return value


def view_outputs(outputs: Iterable[Output], views: Sequence[View], limit: int) -> Rendered:
    """Records for the views' topics, one per scored record and view, in their order.

    A bug met on one event costs that event's view and nothing else: the scored record is whole.

    Args:
        outputs: What assess wrote; all but scored records are passed over.
        views: Which views.
        limit: ``Limits.max_message_bytes``.
    """
    made = Rendered([], [])
    for output in outputs:
        if output.topic not in _SCORED_TOPICS or output.value is None:
            continue
        try:
            event = read_scored(output.value)
            records = [_record(view, event, output, limit) for view in views]
        except Exception as fault:  # noqa: BLE001  (the scored record must not be lost for its view)
            made.faults.append((_ident(output), type(fault).__name__))
        else:
            made.outputs.extend(records)
    return made


def _record(view: View, event: ScoredEvent, scored: Output, limit: int) -> Output:
    """Key, time and headers of the scored record, but for the type of the content."""
    content = (CONTENT_TYPE, _CONTENT.get(view, _TEXT))
    headers = tuple(
        content if name == CONTENT_TYPE else (name, value) for name, value in scored.headers
    )
    return scored._replace(topic=VIEWS[view], value=render(view, event, limit), headers=headers)


def _without_text(view: View, document: dict[str, Any]) -> dict[str, Any]:
    if view is View.OCSF:
        document.pop("raw_data", None)
        document["metadata"]["is_truncated"] = True
    else:
        document["event"].pop("original", None)
        document["riskstream"]["raw_truncated"] = True
    return document


def _ident(output: Output) -> str:
    return dict(output.headers).get("ce_id", b"").decode(errors="replace")
