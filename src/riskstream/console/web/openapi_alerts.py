"""The part of the OpenAPI document about alerts and standings."""

from typing import Any, Final

from riskstream.console.web.alerts_page import MOST_ALERTS, MOST_STANDINGS, AlertView
from riskstream.console.web.openapi_parts import get, limit, model_parameters, path, query
from riskstream.risk.levels import Level
from riskstream.risk.policy import Family

__all__ = ["SCHEMAS", "paths"]


def paths() -> dict[str, Any]:
    """Of the operations."""
    before = query(
        "before",
        {"type": "string", "pattern": "^[0-9]{1,18}[.][0-9a-f]{32}$"},
        "`next` of the answer before.",
    )
    alert_id = path("alert_id", "`id` of the alert, 32 hexadecimal digits.")
    subject = path("subject", "Key of the subject, such as `1234:7`.")
    return {
        "/api/v1/alerts": {
            "get": get(
                "Rises of subjects to High, the newest first",
                "alerts",
                [*model_parameters(AlertView), limit(MOST_ALERTS, "Alerts"), before],
                "AlertPage",
            )
        },
        "/api/v1/alerts/{alert_id}": {
            "get": get("One alert", "alert", [alert_id], "OneAlert", missing=True)
        },
        "/api/v1/standings": {
            "get": get(
                "The subjects that stand worst by now",
                "standings",
                [limit(MOST_STANDINGS, "Subjects")],
                "Standings",
            )
        },
        "/api/v1/standings/{subject}": {
            "get": get(
                "How one subject stands by now", "standing", [subject], "OneStanding", missing=True
            )
        },
    }


_SCORE: Final = {"type": "integer", "minimum": 0, "maximum": 100}
_TIME: Final = {"type": "string", "format": "date-time"}
_MEASURE: Final = {
    "type": "object",
    "properties": {
        "score": _SCORE,
        "level": {"enum": [level.value for level in Level]},
        "peak": {"type": "number", "description": "Points of the strongest cause."},
        "accumulated": {"type": "number", "description": "Points of all causes."},
        "valid_until": {
            **_TIME,
            "description": "Until when the level stands if nothing else happens.",
        },
    },
    "required": ["score", "level", "peak", "accumulated"],
}
_CAUSE: Final = {
    "type": "object",
    "properties": {
        "family": {"enum": [family.value for family in Family]},
        "points": {"type": "number", "description": "What is left of `score`."},
        "score": _SCORE,
        "time": _TIME,
        "event_id": {"type": "string"},
        "event_type_id": {"type": "integer"},
        "signal": {"type": "string"},
        "detail": {"type": "string"},
    },
    "required": ["family", "points", "score", "time", "event_id", "signal", "detail"],
}
_CAUSES: Final = {"type": "array", "items": _CAUSE}
_ALERT: Final = {
    "type": "object",
    "description": "An alert, as `alert.v1` of the published schemas has it.",
    "properties": {
        "id": {"type": "string"},
        "time": _TIME,
        "subject": {"type": "string"},
        "previous": _MEASURE,
        "standing": _MEASURE,
        "causes": _CAUSES,
        "event_ids": {"type": "array", "items": {"type": "string"}},
        "repeats": {"type": "integer", "minimum": 0},
    },
    "required": ["id", "time", "subject", "previous", "standing", "causes", "event_ids"],
}
_STANDING: Final = {
    "type": "object",
    "description": "A row of users, as `users_row.v1` of the published schemas has it, faded to "
    "`at`, which is its `as_of`.",
    "properties": {
        "subject": {"type": "string"},
        "as_of": _TIME,
        "standing": _MEASURE,
        "causes": _CAUSES,
    },
    "required": ["subject", "as_of", "standing", "causes"],
}
SCHEMAS: Final[dict[str, Any]] = {
    "Alert": _ALERT,
    "Standing": _STANDING,
    "AlertPage": {
        "type": "object",
        "properties": {
            "alerts": {"type": "array", "items": {"$ref": "#/components/schemas/Alert"}},
            "next": {"type": ["string", "null"], "description": "`before` of the next page."},
            "total": {"type": "integer", "minimum": 0},
        },
        "required": ["alerts", "next", "total"],
    },
    "OneAlert": {
        "type": "object",
        "properties": {"alert": {"$ref": "#/components/schemas/Alert"}},
        "required": ["alert"],
    },
    "Standings": {
        "type": "object",
        "properties": {
            "at": _TIME,
            "high": {"type": "integer", "minimum": 0, "description": "How many stand High."},
            "standings": {
                "type": "array",
                "description": "The highest score first; nobody at No.",
                "items": {"$ref": "#/components/schemas/Standing"},
            },
        },
        "required": ["at", "high", "standings"],
    },
    "OneStanding": {
        "type": "object",
        "properties": {"at": _TIME, "standing": {"$ref": "#/components/schemas/Standing"}},
        "required": ["at", "standing"],
    },
}
