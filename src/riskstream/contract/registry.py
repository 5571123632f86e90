"""Which schemas there are, where they lie and which topic each is for."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import riskstream
from riskstream.errors import ConfigError
from riskstream.events.topics import (
    ALERTS,
    CLASSIFIED,
    CONTEXT,
    DEAD_LETTER,
    FAILURES,
    FEEDBACK,
    LOCKOUTS,
    NOTIFY_DEAD_LETTER,
    SCORED,
    USERS,
)

__all__ = ["TOPIC_SCHEMAS", "examples", "load", "names", "schemas_dir"]

SUFFIX = ".schema.json"

TOPIC_SCHEMAS: dict[str, str] = {
    CLASSIFIED: "classified.v1",
    CONTEXT: "context_row.v1",
    DEAD_LETTER: "dead_letter_headers.v1",
    FAILURES: "failures_row.v1",
    FEEDBACK: "feedback.v1",
    LOCKOUTS: "lockouts_row.v1",
    USERS: "users_row.v1",
    ALERTS: "alert.v1",
    **dict.fromkeys([*SCORED.values(), NOTIFY_DEAD_LETTER], "scored.v1"),
}
"""The schema of a topic's values; of dead letters, whose values are anything, of the headers.

The raw topic has none: its records come in several shapes, and ``raw_event.v1`` is about one event.
"""


@cache
def schemas_dir() -> Path:
    """``riskstream/schemas`` of an installed wheel, else ``schemas`` of the checkout."""
    package = Path(riskstream.__file__).parent
    for place in (package / "schemas", package.parents[1] / "schemas"):
        if next(place.glob(f"*{SUFFIX}"), None) is not None:
            return place
    raise ConfigError("The schemas are missing from this installation; install riskstream again.")


def names() -> list[str]:
    """The names of all schemas, ``scored.v1`` and so on, sorted."""
    return sorted(path.name.removesuffix(SUFFIX) for path in schemas_dir().glob(f"*{SUFFIX}"))


def load(name: str) -> dict[str, Any]:
    """The schema of this name; ``scored`` is short for ``scored.v1``.

    Raises:
        ConfigError: There is none of that name; the text lists those there are.
    """
    for candidate in (name, f"{name}.v1"):
        if candidate in names():
            path = schemas_dir() / f"{candidate}{SUFFIX}"
            schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return schema
    raise ConfigError(f"There is no schema {name}; there are {', '.join(names())}.")


def examples(name: str) -> list[Path]:
    """The example files of a schema, ``valid-…`` and ``invalid-…``, sorted."""
    return sorted((schemas_dir() / "examples" / name).glob("*.json"))
