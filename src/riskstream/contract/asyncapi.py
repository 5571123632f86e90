"""The AsyncAPI document of all topics, made from ``events.topics`` and the published schemas."""

from collections.abc import Callable
from typing import Any, Final

from riskstream import __version__
from riskstream.contract.registry import TOPIC_SCHEMAS, load
from riskstream.events.topics import (
    CLASSIFIED,
    CONTEXT,
    DEAD_LETTER,
    FEEDBACK,
    NOTIFY_DEAD_LETTER,
    PROFILES,
    RAW,
    SCORED,
    VIEWS,
    TopicSpec,
    topics_with,
)
from riskstream.events.vocabulary import Category, View
from riskstream.pipeline.outputs import ALERT_TYPE
from riskstream.pipeline.trace import TRACEPARENT, TRACESTATE
from riskstream.risk.levels import Level

__all__ = ["FILE_NAME", "asyncapi"]

Part = dict[str, Any]

FILE_NAME: Final = "asyncapi.json"
"""Where it lies among the schemas, which it refers to by their file names."""
ASYNCAPI_VERSION: Final = "3.0.0"
KAFKA_BINDING: Final = "0.5.0"
_BOUND: Final[dict[str, Callable[[str], Any]]] = {
    "cleanup.policy": lambda text: text.split(","),
    "retention.ms": int,
    "max.message.bytes": int,
}
"""What the Kafka binding says of a topic's configuration, and as what."""

_TEXT: Final = {"type": "string"}
_SUBJECT: Final = {"type": "string", "description": "The subject: whose behaviour it is."}
_ANY_KEY: Final = {"type": "string", "description": "Whatever the sender chose."}


def asyncapi() -> Part:
    """The whole document, the same every time."""
    specs = topics_with(View)
    return {
        "asyncapi": ASYNCAPI_VERSION,
        "info": {
            "title": "riskstream",
            "version": __version__,
            "description": "OneLogin's events in, scored events and tables out. Readers set "
            "isolation.level=read_committed. Topics called internal may change with any version.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "kafka.example.com:9092",
                "protocol": "kafka",
                "description": "Yours: kafka.bootstrap_servers.",
            }
        },
        "channels": {_ident(spec.name): _channel(spec) for spec in specs},
        "operations": dict(_operation(spec) for spec in specs),
        "components": {"messages": {name: _message(name) for name in _MESSAGES}},
    }


def _channel(spec: TopicSpec) -> Part:
    message = _message_of(spec.name)
    config = {key: how(spec.config[key]) for key, how in _BOUND.items() if key in spec.config}
    return {
        "address": spec.name,
        "description": spec.purpose,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": {message: {"$ref": f"#/components/messages/{message}"}},
        "bindings": {
            "kafka": {
                "topic": spec.name,
                "topicConfiguration": config,
                "bindingVersion": KAFKA_BINDING,
            }
        },
    }


def _operation(spec: TopicSpec) -> tuple[str, Part]:
    """What riskstream does with the topic: it takes raw events and gives everything else."""
    action = "receive" if spec.name == RAW else "send"
    channel, message = _ident(spec.name), _message_of(spec.name)
    return f"{action}-{channel}", {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "summary": spec.purpose,
        "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
    }


def _ident(topic: str) -> str:
    return topic.removeprefix("iam.").removesuffix(".v1").replace(".", "-")


def _headers(*, view: bool) -> Part:
    """Headers of scored records and of views."""
    content = ["application/json", "text/plain; charset=utf-8"] if view else ["application/json"]
    properties: Part = {
        "ce_id": {**_TEXT, "description": "id of the event"},
        "ce_source": _TEXT,
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_type": _TEXT,
        "ce_time": {**_TEXT, "format": "date-time"},
        "ce_subject": _TEXT,
        "content-type": {"type": "string", "enum": content},
        "risk_score": {**_TEXT, "pattern": "^(100|[1-9]?[0-9])$"},
        "risk_level": {"type": "string", "enum": [level.value for level in Level]},
        "category": {"type": "string", "enum": [category.value for category in Category]},
    }
    required = list(properties)
    properties[TRACEPARENT] = {**_TEXT, "description": "W3C, where the raw record had one"}
    properties[TRACESTATE] = _TEXT
    return {"type": "object", "properties": properties, "required": required}


def _alert_headers() -> Part:
    """Those of a scored record, but for the category and the kind of event."""
    headers = _headers(view=False)
    properties = {name: part for name, part in headers["properties"].items() if name != "category"}
    properties["ce_id"] = {**_TEXT, "description": "id of the alert"}
    properties["ce_type"] = {"type": "string", "const": ALERT_TYPE}
    required = [name for name in headers["required"] if name != "category"]
    return {**headers, "properties": properties, "required": required}


def _unsent_headers() -> Part:
    """Those of a scored record or of an alert."""
    headers = _headers(view=False)
    return {**headers, "required": [name for name in headers["required"] if name != "category"]}


def _message_of(topic: str) -> str:
    if topic in SCORED.values():
        return "scored"
    if topic == NOTIFY_DEAD_LETTER:
        return "unsent"
    if topic == CONTEXT:
        return "context"
    if topic in VIEWS.values():
        return next(view.value for view, name in VIEWS.items() if name == topic)
    return _ident(topic).rpartition("-")[2] if topic != DEAD_LETTER else "deadLetter"


def _schema(name: str) -> Part:
    """By reference: the files lie side by side."""
    return {"$ref": f"./{name}.schema.json"}


def _message(name: str) -> Part:
    message: Part = {"name": name, **_MESSAGES[name]}
    key = message.pop("key", _SUBJECT)
    return {**message, "bindings": {"kafka": {"key": key, "bindingVersion": KAFKA_BINDING}}}


def _title(topic: str) -> str:
    return str(load(TOPIC_SCHEMAS[topic])["title"])


_MESSAGES: Final[dict[str, Part]] = {
    "raw": {
        "title": "Raw events",
        "summary": "One event as raw_event.v1 has it, or an array, a REST page, NDJSON or an "
        "EventBridge envelope of such.",
        "payload": {"description": "Any bytes: what is no event becomes a dead letter."},
        "key": _ANY_KEY,
    },
    "classified": {"title": _title(CLASSIFIED), "payload": _schema("classified.v1")},
    "deadLetter": {
        "title": "Dead letter",
        "headers": _schema("dead_letter_headers.v1"),
        "payload": {"description": "The original bytes, unchanged."},
        "contentType": "application/octet-stream",
        "key": {"type": "string", "description": "The original key, else the origin."},
    },
    "scored": {
        "title": "Scored event",
        "headers": _headers(view=False),
        "payload": _schema("scored.v1"),
    },
    "failures": {
        "title": "Row of failures; null where it is gone",
        "payload": _schema("failures_row.v1"),
    },
    "lockouts": {
        "title": "Row of lockouts; null where it is gone",
        "payload": _schema("lockouts_row.v1"),
    },
    "users": {
        "title": "Row of standings; null where it is gone",
        "payload": _schema("users_row.v1"),
    },
    "context": {
        "title": "Row of context; null where it is gone",
        "payload": _schema("context_row.v1"),
    },
    "alerts": {
        "title": "Alert: a subject rose to High",
        "headers": _alert_headers(),
        "payload": _schema("alert.v1"),
    },
    "profiles": {
        "title": "Profile (internal)",
        "payload": {"description": f"MessagePack; the form of {PROFILES} is nobody's contract."},
        "contentType": "application/msgpack",
    },
    "sources": {
        "title": "How far a poller has read (internal)",
        "payload": {"description": "JSON; nobody's contract."},
        "key": {"type": "string", "description": "The poller's name."},
    },
    "feedback": {
        "title": _title(FEEDBACK),
        "payload": _schema("feedback.v1"),
        "key": {"type": "string", "description": "Id of the event."},
    },
    "notices": {
        "title": "When a message was last sent (internal)",
        "payload": {"description": "JSON; nobody's contract."},
        "key": {"type": "string", "description": "Subject and reason."},
    },
    "unsent": {
        "title": "Scored event or alert about which no message could be sent",
        "summary": "As it was; x-riskstream-detail and x-riskstream-origin say why and whence.",
        "headers": _unsent_headers(),
        "payload": {"oneOf": [_schema("scored.v1"), _schema("alert.v1")]},
    },
    "ocsf": {
        "title": "Scored event as OCSF 1.8",
        "headers": _headers(view=True),
        "payload": {"type": "object"},
    },
    "ecs": {
        "title": "Scored event as ECS",
        "headers": _headers(view=True),
        "payload": {"type": "object"},
    },
    "cef": {
        "title": "Scored event as CEF",
        "headers": _headers(view=True),
        "payload": {"type": "string", "pattern": "^CEF:0\\|"},
        "contentType": "text/plain",
    },
}
