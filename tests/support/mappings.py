"""What sinks need to be told of scored events, made from their schema.

``python -m tests.support.mappings`` writes the files again after a change of the schema.
"""

import json
from pathlib import Path
from typing import Any

from riskstream.contract.registry import load
from tests.support.deploy import ROOT

__all__ = ["CONNECTORS", "data_collection_rule", "index_template"]

CONNECTORS = ROOT / "deploy" / "connectors"
Part = dict[str, Any]

_TEXTS = {"message", "reasons", "detail", "error"}
"""Sentences: searched by word. Every other string is searched as a whole."""
_STREAM = "Custom-RiskstreamScored"


def index_template() -> Part:
    """For Elasticsearch and OpenSearch: no field's type is guessed, no other field is indexed."""
    schema = load("scored")
    return {
        "index_patterns": ["riskstream-scored-*"],
        "priority": 500,
        "template": {
            "settings": {"index": {"number_of_shards": 3, "number_of_replicas": 1}},
            "mappings": {"dynamic": False, "properties": _properties(schema, schema)},
        },
        "_meta": {"description": "Scored events of riskstream", "schema": schema["$id"]},
    }


def data_collection_rule() -> Part:
    """For Microsoft Sentinel: the columns of the stream, and what becomes of them."""
    schema = load("scored")
    names = [name for name in schema["properties"] if name not in {"raw", "raw_truncated"}]
    columns = [{"name": name, "type": _column(schema, name)} for name in names]
    renamed = {"id": "EventId", "time": "TimeGenerated"}
    shown = ", ".join(
        f"{renamed.get(name) or ''.join(part.title() for part in name.split('_'))} = {name}"
        for name in names
    )
    return {
        "location": "westeurope",
        "kind": "Direct",
        "properties": {
            "streamDeclarations": {_STREAM: {"columns": columns}},
            "destinations": {
                "logAnalytics": [
                    {"workspaceResourceId": "${WORKSPACE_RESOURCE_ID}", "name": "workspace"}
                ]
            },
            "dataFlows": [
                {
                    "streams": [_STREAM],
                    "destinations": ["workspace"],
                    "transformKql": f"source | project {shown}",
                    "outputStream": "Custom-RiskstreamScored_CL",
                }
            ],
        },
    }


def _resolved(schema: Part, part: Part) -> Part:
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].removeprefix("#/$defs/")]
    return part


def _properties(schema: Part, part: Part) -> Part:
    return {
        name: _mapping(schema, name, _resolved(schema, each))
        for name, each in part["properties"].items()
    }


def _mapping(schema: Part, name: str, part: Part) -> Part:
    kind = _kind(part)
    if kind == "array":
        items = _resolved(schema, part["items"])
        if _kind(items) == "object":
            return {"type": "nested", "properties": _properties(schema, items)}
        return _mapping(schema, name, items)
    if kind == "object":
        return {"properties": _properties(schema, part)}
    if kind == "string":
        return _string(name, part)
    return {"type": {"integer": "long", "number": "float", "boolean": "boolean"}[kind]}


def _string(name: str, part: Part) -> Part:
    if name == "raw":
        return {"type": "keyword", "index": False, "doc_values": False}
    if name in {"time", "received_time"}:
        return {"type": "date"}
    if name == "ip":
        return {"type": "ip", "ignore_malformed": True}
    if name in _TEXTS:
        return {"type": "text"}
    return {"type": "keyword", "ignore_above": 1024}


def _kind(part: Part) -> str:
    if "type" in part:
        return str(part["type"])
    value = part["const"] if "const" in part else part["enum"][0]
    return {bool: "boolean", int: "integer", str: "string"}[type(value)]


def _column(schema: Part, name: str) -> str:
    kind = _kind(_resolved(schema, schema["properties"][name]))
    if name in {"time", "received_time"}:
        return "datetime"
    return {"integer": "long", "boolean": "boolean", "string": "string"}.get(kind, "dynamic")


def _write(path: Path, document: Part) -> None:
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    _write(CONNECTORS / "elasticsearch" / "index-template.json", index_template())
    _write(CONNECTORS / "sentinel" / "data-collection-rule.json", data_collection_rule())
