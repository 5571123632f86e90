"""The OpenAPI document of the JSON API."""

from functools import cache
from typing import Any, Final

import riskstream
from riskstream.console.store.records import MOST_NOTE, VERDICTS
from riskstream.console.web.openapi_alerts import SCHEMAS as ALERT_SCHEMAS
from riskstream.console.web.openapi_alerts import paths as alert_paths
from riskstream.console.web.openapi_parts import (
    answer,
    failures,
    get,
    limit,
    model_parameters,
    path,
    query,
)
from riskstream.console.web.view import View

__all__ = ["openapi_document"]

ERROR: Final = {
    "type": "object",
    "properties": {"error": {"type": "string"}},
    "required": ["error"],
}


@cache
def openapi_document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    parameters = model_parameters(View)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "riskstream console",
            "version": riskstream.__version__,
            "description": "Scored events behind the filters of the Events page, and alerts.",
        },
        "paths": {
            "/api/v1/events": {
                "get": get(
                    "Events, the newest first, with the counts of all that match",
                    "events",
                    [
                        *parameters,
                        limit(500, "Events"),
                        query(
                            "before",
                            {"type": "string", "pattern": "^[0-9]{1,19}$"},
                            "`next` of the answer before.",
                        ),
                    ],
                    "EventPage",
                )
            },
            "/api/v1/events/{event_id}": {
                "get": get("One event", "event", [_EVENT_ID], "OneEvent", missing=True)
            },
            "/api/v1/events/{event_id}/feedback": {"post": _FEEDBACK},
            "/api/v1/names": {
                "get": get(
                    "Users, actors or apps whose names begin with a text",
                    "names",
                    [
                        query(
                            "kind", {"enum": ["user", "actor", "app"]}, "Of what.", required=True
                        ),
                        query(
                            "text",
                            {"type": "string", "minLength": 1, "maxLength": 200},
                            "The beginning.",
                            required=True,
                        ),
                    ],
                    "Names",
                )
            },
            **alert_paths(),
        },
        "components": {
            "schemas": _SCHEMAS | ALERT_SCHEMAS,
            "responses": {
                str(status): {
                    "description": words,
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Error"}}
                    },
                }
                for status, words in _ERRORS.items()
            },
        },
    }


_ERRORS: Final = {
    400: "A parameter cannot be answered; the text says which and why",
    401: "Not logged in",
    403: "Not allowed, or without the token that pages carry",
    404: "There is none",
    413: "Too much was sent",
    415: "Something else than JSON was sent",
    422: "What was sent says something else than it may",
    503: "Kafka did not take it",
}
_EVENT_ID: Final = path("event_id", "`id` of the event, such as `1234:45192178366`.")
_FEEDBACK: Final = {
    "summary": "Say that an event is a true or a false positive",
    "operationId": "feedback",
    "parameters": [
        _EVENT_ID,
        {
            "name": "X-CSRF-Token",
            "in": "header",
            "required": False,
            "description": "`csrf-token` of a page's head.",
            "schema": {"type": "string"},
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "verdict": {"enum": list(VERDICTS)},
                        "note": {"type": "string", "maxLength": MOST_NOTE},
                    },
                    "required": ["verdict"],
                    "additionalProperties": False,
                }
            }
        },
    },
    "responses": {"201": answer("Feedback", "Taken by Kafka")}
    | failures(400, 401, 403, 404, 413, 415, 422, 503),
}
_COUNTS: Final = {"type": "object", "additionalProperties": {"type": "integer", "minimum": 0}}
_SCORED: Final = {
    "type": "object",
    "description": "A scored event, as `scored.v1` of the published schemas has it.",
    "required": ["id", "time", "risk"],
}
_REMARK: Final = {
    "type": "object",
    "properties": {
        "verdict": {"enum": list(VERDICTS)},
        "note": {"type": "string"},
        "author": {"type": "string"},
        "time": {"type": "string", "format": "date-time"},
    },
    "required": ["verdict", "note", "author", "time"],
}
_SCHEMAS: Final[dict[str, Any]] = {
    "Error": ERROR,
    "Scored": _SCORED,
    "EventPage": {
        "type": "object",
        "properties": {
            "events": {"type": "array", "items": {"$ref": "#/components/schemas/Scored"}},
            "next": {"type": ["string", "null"], "description": "`before` of the next page."},
            "total": {"type": "integer", "minimum": 0},
            "total_is_exact": {
                "type": "boolean",
                "description": "False where searching text stopped counting.",
            },
            "counted_back_to": {"type": ["string", "null"], "format": "date-time"},
            "levels": _COUNTS,
            "categories": _COUNTS,
            "outcomes": _COUNTS,
            "histogram": {
                "type": "object",
                "properties": {
                    "start": {"type": "string", "format": "date-time"},
                    "step_seconds": {"type": "integer", "minimum": 1},
                    "counts": {
                        "type": "array",
                        "description": "Per step: no, low, medium, high.",
                        "items": {"type": "array", "items": {"type": "integer"}},
                    },
                },
                "required": ["start", "step_seconds", "counts"],
            },
        },
        "required": ["events", "next", "total", "total_is_exact", "levels", "histogram"],
    },
    "OneEvent": {
        "type": "object",
        "properties": {
            "event": {"$ref": "#/components/schemas/Scored"},
            "feedback": {"type": "array", "items": _REMARK},
            "shown_at": {"type": "string", "format": "date-time"},
        },
        "required": ["event", "feedback", "shown_at"],
    },
    "Feedback": {"type": "object", "required": ["event_id", "verdict", "author", "time"]},
    "Names": {
        "type": "object",
        "properties": {
            "names": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"key": {"type": "string"}, "name": {"type": "string"}},
                    "required": ["key", "name"],
                },
            }
        },
        "required": ["names"],
    },
}
