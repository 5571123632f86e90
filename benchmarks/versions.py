"""Which versions took part."""

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

__all__ = ["versions"]

PACKAGES: Final = ("riskstream", "faust-streaming", "aiokafka", "confluent-kafka")
ASK: Final = "from importlib.metadata import version; print(version('quixstreams'))"
SECONDS: Final = 30.0


def versions(jars: Path, quix_python: Path) -> dict[str, str]:
    """By name; what is not installed is left out."""
    found = {"Python": ".".join(map(str, sys.version_info[:3]))}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    if quix_python.exists():
        told = subprocess.run(
            [str(quix_python), "-c", ASK],
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        if told.returncode == 0:
            found["quixstreams"] = told.stdout.strip()
    kafka = next(iter(sorted(jars.glob("kafka_2.13-*.jar"))), None)
    if kafka is not None:
        found["Apache Kafka"] = kafka.stem.removeprefix("kafka_2.13-")
    return found
