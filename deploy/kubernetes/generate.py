"""Write the manifests that are made from the code and from the alerts; run it after either changes.

    python deploy/kubernetes/generate.py

``strimzi/topics.yaml`` and ``strimzi/users.yaml`` come from the topics and the rights of the
package, for the numbers of ``overlays/production/riskstream.toml``;
``components/monitoring/rules.yaml`` holds the groups of ``deploy/prometheus/rules``.
"""

import io
import sys
import tomllib
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from riskstream.contract.acls import roles
from riskstream.contract.strimzi import kafka_topics, kafka_users, lag_reader
from riskstream.events.topics import ALL_TOPICS

HERE = Path(__file__).parent
CLUSTER = "kafka"
APP_ID = "riskstream"
NOTE = "# Made by deploy/kubernetes/generate.py; do not edit.\n"


def manifests() -> dict[Path, str]:
    """Every made file with its text."""
    settings = tomllib.loads((HERE / "overlays/production/riskstream.toml").read_text())["kafka"]
    parts = [*roles(APP_ID).values(), lag_reader(APP_ID)]
    return {
        HERE / "strimzi/topics.yaml": _text(
            kafka_topics(
                ALL_TOPICS,
                cluster=CLUSTER,
                partitions=settings["partitions"],
                replicas=settings["replication_factor"],
            )
        ),
        HERE / "strimzi/users.yaml": _text(kafka_users(parts, cluster=CLUSTER, app_id=APP_ID)),
        HERE / "components/monitoring/rules.yaml": _text([prometheus_rule()]),
    }


def prometheus_rule() -> dict[str, Any]:
    """The PrometheusRule with all groups, in the order of the files' names."""
    reader = YAML(typ="safe")
    groups = [
        group
        for path in sorted((HERE.parent / "prometheus" / "rules").glob("*.yml"))
        for group in reader.load(path)["groups"]
    ]
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "riskstream", "labels": {"app.kubernetes.io/name": "riskstream"}},
        "spec": {"groups": groups},
    }


def _text(documents: list[dict[str, Any]]) -> str:
    writer = YAML()
    writer.default_flow_style = False
    writer.explicit_start = True
    writer.width = 1_000_000  # a folded line ends in a blank
    writer.indent(mapping=2, sequence=4, offset=2)
    stream = io.StringIO()
    writer.dump_all(documents, stream)
    return NOTE + stream.getvalue()


if __name__ == "__main__":
    for path, text in manifests().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(HERE)}\n")
