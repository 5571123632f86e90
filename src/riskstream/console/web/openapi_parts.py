"""Parts that operations of the OpenAPI document are made of."""

from typing import Any

from pydantic import BaseModel

__all__ = ["answer", "failures", "get", "limit", "model_parameters", "path", "query"]


def model_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Filters, from the model that reads them."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    return [
        query(name, _resolved(part, definitions), part.get("description", ""))
        for name, part in schema["properties"].items()
    ]


def _resolved(part: Any, definitions: dict[str, Any]) -> Any:
    """A schema that stands alone."""
    if isinstance(part, list):
        return [_resolved(each, definitions) for each in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        name = part["$ref"].rpartition("/")[2]
        return _resolved(definitions[name], definitions)
    if "anyOf" in part:
        (only,) = [each for each in part["anyOf"] if each.get("type") != "null"]
        return _resolved(only, definitions)
    left_out = {"title", "description", "default"}
    return {
        key: _resolved(value, definitions) for key, value in part.items() if key not in left_out
    }


def query(name: str, schema: Any, words: str, *, required: bool = False) -> dict[str, Any]:
    """A parameter behind the ``?``."""
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": words,
        "schema": schema,
    }


def answer(name: str, words: str = "Done") -> dict[str, Any]:
    """An answer in JSON of one of the schemas."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def get(
    words: str, operation: str, parameters: list[Any], schema: str, *, missing: bool = False
) -> dict[str, Any]:
    """An operation that reads; ``missing`` where what is asked for may not be there."""
    statuses = (400, 401, 403, 404) if missing else (400, 401, 403)
    return {
        "summary": words,
        "operationId": operation,
        "parameters": parameters,
        "responses": {"200": answer(schema)} | failures(*statuses),
    }


def failures(*statuses: int) -> dict[str, Any]:
    """The answers that tell of a fault."""
    return {str(status): {"$ref": f"#/components/responses/{status}"} for status in statuses}


def limit(most: int, what: str) -> dict[str, Any]:
    """How many in one answer."""
    schema = {"type": "integer", "minimum": 1, "maximum": most}
    return query("limit", schema, f"{what} in one answer.")


def path(name: str, words: str) -> dict[str, Any]:
    """A part of the path."""
    schema = {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "description": words, "schema": schema}
