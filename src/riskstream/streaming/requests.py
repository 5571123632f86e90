"""Two questions of Kafka's protocol that aiokafka does not ask: features, and what we may do.

Layouts as in Apache Kafka's ``ApiVersionsRequest.json`` (version 3) and ``MetadataRequest.json``
(version 8).
"""

from io import BytesIO
from typing import Any

from aiokafka.protocol.api import Request, RequestStruct, Response, ResponseHeader_v0
from aiokafka.protocol.types import (
    Array,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    String,
    TaggedFields,
)
from typing_extensions import override

from riskstream import __version__

__all__ = ["Features", "Permissions", "finalized_features"]

FINALIZED_FEATURES = 2
"""Tag of the answer to ApiVersions that holds the features in force."""


class _FeaturesAnswer(Response):
    API_KEY = 18
    API_VERSION = 3
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "api_versions",
            CompactArray(
                ("api_key", Int16),
                ("min_version", Int16),
                ("max_version", Int16),
                ("tags", TaggedFields),
            ),
        ),
        ("throttle_time_ms", Int32),
        ("tags", TaggedFields),
    )


class _FeaturesQuestion(RequestStruct):
    API_KEY = 18
    API_VERSION = 3
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _FeaturesAnswer
    SCHEMA = Schema(
        ("client_software_name", CompactString("utf-8")),
        ("client_software_version", CompactString("utf-8")),
        ("tags", TaggedFields),
    )

    @override
    def parse_response_header(self, read_buffer: BytesIO | bytes) -> ResponseHeader_v0:
        """Of this one request the answer's header is never the flexible one."""
        return ResponseHeader_v0.decode(read_buffer)


class Features(Request[_FeaturesQuestion]):
    """Which APIs the broker has, and which features are in force."""

    API_KEY = 18

    @override
    def build(self, request_struct_class: type[_FeaturesQuestion]) -> _FeaturesQuestion:
        return request_struct_class("riskstream", __version__, {})


def finalized_features(answer: Any) -> dict[str, int]:
    """Feature and level, from an answer to ``Features``; empty where the broker tells none."""
    packed = answer.tags.get(FINALIZED_FEATURES)
    if packed is None:
        return {}
    entries = CompactArray(
        ("name", CompactString("utf-8")),
        ("max_version_level", Int16),
        ("min_version_level", Int16),
        ("tags", TaggedFields),
    ).decode(BytesIO(packed))
    return {entry[0]: entry[1] for entry in entries or []}


class _PermissionsAnswer(Response):
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            Array(
                ("node_id", Int32),
                ("host", String("utf-8")),
                ("port", Int32),
                ("rack", String("utf-8")),
            ),
        ),
        ("cluster_id", String("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("topic", String("utf-8")),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("isr", Array(Int32)),
                        ("offline_replicas", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("cluster_operations", Int32),
    )


class _PermissionsQuestion(RequestStruct):
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _PermissionsAnswer
    SCHEMA = Schema(
        ("topics", Array(String("utf-8"))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
    )


class Permissions(Request[_PermissionsQuestion]):
    """Brokers and these topics, and per topic the operations that we may do; creates none."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    @override
    def build(self, request_struct_class: type[_PermissionsQuestion]) -> _PermissionsQuestion:
        return request_struct_class(self._topics, False, True, True)
