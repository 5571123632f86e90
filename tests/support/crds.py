"""The fields of the custom resources that we use, as their operators define them.

Closed schemas: a field that is not here is a mistake, or belongs here after a look at the
operator's documents: Strimzi v1, Prometheus operator v1, KEDA v1alpha1.
"""

from typing import Any

__all__ = ["SCHEMAS"]

TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
NUMBER: dict[str, Any] = {"type": "integer", "minimum": 1}
SWITCH: dict[str, Any] = {"enum": ["true", "false"]}
DURATION: dict[str, Any] = {"type": "string", "pattern": r"^([0-9]+(ms|[smhdwy]))+$"}
TEXTS: dict[str, Any] = {"type": "object", "additionalProperties": TEXT}


def _object(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": 1}


def _resource(api_version: str, kind: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = _object({"name": TEXT, "labels": TEXTS}, namespace=TEXT)
    return _object(
        {
            "apiVersion": {"const": api_version},
            "kind": {"const": kind},
            "metadata": metadata,
            "spec": spec,
        }
    )


ACL = _object(
    {
        "resource": _object(
            {"type": {"enum": ["topic", "group", "cluster", "transactionalId"]}},
            name=TEXT,
            patternType={"enum": ["literal", "prefix"]},
        ),
        "operations": _list(
            {
                "enum": [
                    *("Read", "Write", "Create", "Delete", "Alter", "Describe", "All"),
                    *("ClusterAction", "AlterConfigs", "DescribeConfigs", "IdempotentWrite"),
                ]
            }
        ),
    },
    type={"enum": ["allow", "deny"]},
    host=TEXT,
)
SCALING = _object(
    {
        "stabilizationWindowSeconds": {"type": "integer", "minimum": 0, "maximum": 3600},
        "policies": _list(
            _object(
                {
                    "type": {"enum": ["Pods", "Percent"]},
                    "value": NUMBER,
                    "periodSeconds": {"type": "integer", "minimum": 1, "maximum": 1800},
                }
            )
        ),
    },
    selectPolicy={"enum": ["Max", "Min", "Disabled"]},
)
RULE = {
    "oneOf": [
        _object(
            {"alert": TEXT, "expr": TEXT, "labels": TEXTS, "annotations": TEXTS},
            **{"for": DURATION, "keep_firing_for": DURATION},
        ),
        _object({"record": TEXT, "expr": TEXT}, labels=TEXTS),
    ]
}

SCHEMAS: dict[str, dict[str, Any]] = {
    "KafkaTopic": _resource(
        "kafka.strimzi.io/v1",
        "KafkaTopic",
        _object({"partitions": NUMBER, "replicas": NUMBER, "config": TEXTS}, topicName=TEXT),
    ),
    "KafkaUser": _resource(
        "kafka.strimzi.io/v1",
        "KafkaUser",
        _object(
            {
                "authentication": _object({"type": {"enum": ["scram-sha-512", "tls"]}}),
                "authorization": _object({"type": {"const": "simple"}, "acls": _list(ACL)}),
            }
        ),
    ),
    "ServiceMonitor": _resource(
        "monitoring.coreos.com/v1",
        "ServiceMonitor",
        _object(
            {
                "selector": _object({"matchLabels": TEXTS}),
                "endpoints": _list(
                    _object({"port": TEXT}, path=TEXT, interval=DURATION, scrapeTimeout=DURATION)
                ),
            },
            jobLabel=TEXT,
        ),
    ),
    "PrometheusRule": _resource(
        "monitoring.coreos.com/v1",
        "PrometheusRule",
        _object(
            {"groups": _list(_object({"name": TEXT, "rules": _list(RULE)}, interval=DURATION))}
        ),
    ),
    "TriggerAuthentication": _resource(
        "keda.sh/v1alpha1",
        "TriggerAuthentication",
        _object(
            {
                "secretTargetRef": _list(
                    _object(
                        {
                            "parameter": {"enum": ["username", "password", "ca", "cert", "key"]},
                            "name": TEXT,
                            "key": TEXT,
                        }
                    )
                )
            }
        ),
    ),
    "ScaledObject": _resource(
        "keda.sh/v1alpha1",
        "ScaledObject",
        _object(
            {
                "scaleTargetRef": _object(
                    {"apiVersion": TEXT, "kind": {"const": "StatefulSet"}, "name": TEXT}
                ),
                "minReplicaCount": NUMBER,
                "maxReplicaCount": NUMBER,
                "triggers": _list(
                    _object(
                        {
                            "type": {"const": "kafka"},
                            "metadata": _object(
                                {
                                    "bootstrapServers": TEXT,
                                    "consumerGroup": TEXT,
                                    "topic": TEXT,
                                    "lagThreshold": {"type": "string", "pattern": "^[1-9][0-9]*$"},
                                },
                                activationLagThreshold={"type": "string", "pattern": "^[0-9]+$"},
                                offsetResetPolicy={"enum": ["latest", "earliest"]},
                                allowIdleConsumers=SWITCH,
                                ensureEvenDistributionOfPartitions=SWITCH,
                                sasl={
                                    "enum": ["plaintext", "scram_sha256", "scram_sha512", "none"]
                                },
                                tls={"enum": ["enable", "disable"]},
                            ),
                        },
                        authenticationRef=_object({"name": TEXT}),
                    )
                ),
            },
            pollingInterval=NUMBER,
            cooldownPeriod=NUMBER,
            advanced=_object(
                {
                    "horizontalPodAutoscalerConfig": _object(
                        {"behavior": _object({"scaleUp": SCALING, "scaleDown": SCALING})}
                    )
                }
            ),
        ),
    ),
}
"""By kind."""
