"""Every topic name of the wire contract, what it holds and how it must be configured.

The one place where a topic's name stands; ``riskstream topics create`` reads it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from riskstream.events.vocabulary import Category, View

__all__ = [
    "ALERTS",
    "ALL_TOPICS",
    "CLASSIFIED",
    "CONTEXT",
    "DEAD_LETTER",
    "FAILURES",
    "FEEDBACK",
    "LOCKOUTS",
    "NOTIFY_DEAD_LETTER",
    "NOTIFY_SENT",
    "PROFILES",
    "RAW",
    "SCORED",
    "SCORED_PATTERN",
    "SCORED_PREFIX",
    "SOURCES",
    "USERS",
    "VIEWS",
    "VIEW_TOPICS",
    "TopicSpec",
    "topics_with",
]

RAW = "iam.events.raw.v1"
"""OneLogin's events as they come; any key, any of the delivery shapes."""
CLASSIFIED = "iam.events.classified.v1"
"""Internal: one event or one effect per record, keyed by subject."""
DEAD_LETTER = "iam.events.dead-letter.v1"
"""Input that could not be processed: the original bytes, the reason in headers."""
SCORED = {category: f"iam.scored.{category.value}.v1" for category in Category}
"""The outputs: one topic per category."""
SCORED_PREFIX = "iam.scored."
"""Of all scored topics and of no other."""
SCORED_PATTERN = r"^iam\.scored\.[a-z]+\.v1$"
"""Takes all scored topics and nothing else, now and later."""
FAILURES = "iam.state.failures.v1"
"""Compacted table: failures per subject, by kind and window."""
LOCKOUTS = "iam.state.lockouts.v1"
"""Compacted table: lock state and lockouts per subject."""
FEEDBACK = "iam.feedback.v1"
"""What analysts say of scored events: true or false positive, by whom and when."""
USERS = "iam.state.users.v1"
"""Compacted table: the standing of each subject, and what it comes from."""
CONTEXT = "iam.context.users.v1"
"""Compacted table: what the operator says of users, as assess goes by it."""
ALERTS = "iam.alerts.v1"
"""One record whenever a subject's standing rises to High."""
PROFILES = "iam.internal.profiles.v1"
"""Internal compacted table: what is usual for a subject."""
SOURCES = "iam.internal.sources.v1"
"""Internal, compacted: how far each poller has read, keyed by its name."""
VIEWS = {view: f"iam.view.{view.value}.v1" for view in View}
"""Optional: scored events in another schema, one topic per view."""

NOTIFY_SENT = "iam.internal.notices.v1"
"""Internal, compacted: when a message about a subject and reason was last sent."""
NOTIFY_DEAD_LETTER = "iam.notify.dead-letter.v1"
"""Scored records and alerts about which no message could be sent; why is in headers."""

DAY_MS = 86_400_000
MESSAGE_BYTES = 1_048_588
"""Kafka's default of ``max.message.bytes``: what consumers are set up for."""
CLASSIFIED_MESSAGE_BYTES = 4_194_304
"""Internal records carry the received text beside the event, so they may be larger."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """How one topic is created and what ``topics check`` compares."""

    name: str
    purpose: str
    co_partitioned: bool = False
    """Must have as many partitions as the classified topic."""
    config: dict[str, str] = field(default_factory=dict)


def _spec(name: str, purpose: str, *, co_partitioned: bool = False, **config: str) -> TopicSpec:
    settings = {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "delete"}
    settings.update({key.replace("_", "."): value for key, value in config.items()})
    return TopicSpec(name, purpose, co_partitioned, settings)


def _table(name: str, purpose: str) -> TopicSpec:
    return _spec(
        name,
        purpose,
        co_partitioned=True,
        cleanup_policy="compact",
        min_cleanable_dirty_ratio="0.1",
        segment_ms=str(DAY_MS),
    )


ALL_TOPICS: tuple[TopicSpec, ...] = (
    _spec(RAW, "raw OneLogin events", retention_ms=str(7 * DAY_MS)),
    _spec(
        CLASSIFIED,
        "classified events and effects (internal)",
        co_partitioned=True,
        retention_ms="-1",
        max_message_bytes=str(CLASSIFIED_MESSAGE_BYTES),
    ),
    _spec(DEAD_LETTER, "dead letters", retention_ms=str(30 * DAY_MS)),
    *(
        _spec(name, f"scored events of category {category.value}", retention_ms=str(30 * DAY_MS))
        for category, name in SCORED.items()
    ),
    _spec(ALERTS, "rises of subjects to High", retention_ms=str(30 * DAY_MS)),
    _table(FAILURES, "table of failures per subject"),
    _table(LOCKOUTS, "table of lockouts per subject"),
    _table(USERS, "table of standings per subject"),
    _table(CONTEXT, "table of context per user"),
    _table(PROFILES, "table of profiles per subject (internal)"),
    _spec(
        SOURCES,
        "how far the pollers have read (internal)",
        cleanup_policy="compact",
        min_cleanable_dirty_ratio="0.1",
        segment_ms=str(DAY_MS),
    ),
    _spec(
        NOTIFY_SENT,
        "messages that notify has sent (internal)",
        cleanup_policy="compact,delete",
        retention_ms=str(7 * DAY_MS),
    ),
    _spec(
        NOTIFY_DEAD_LETTER,
        "scored events and alerts about which no message could be sent",
        retention_ms=str(30 * DAY_MS),
    ),
    _spec(FEEDBACK, "what analysts say of scored events", retention_ms="-1"),
)
"""In the order in which they are created and shown."""

VIEW_TOPICS: dict[View, TopicSpec] = {
    view: _spec(name, f"scored events as {view.value.upper()}", retention_ms=str(7 * DAY_MS))
    for view, name in VIEWS.items()
}
"""Made and written only where ``views.topics`` names the view."""


def topics_with(views: Iterable[str]) -> tuple[TopicSpec, ...]:
    """All topics of a worker that writes these views, in the order in which they are shown."""
    return (*ALL_TOPICS, *(VIEW_TOPICS[View(view)] for view in views))
