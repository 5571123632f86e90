"""The deployment files, read."""

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

__all__ = ["COMPOSE_FILE", "DOCKERFILE", "ROOT", "compose", "kafka_properties"]

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "deploy" / "docker" / "Dockerfile"


def compose() -> dict[str, Any]:
    """The compose file with its merges resolved."""
    found: dict[str, Any] = YAML(typ="safe").load(COMPOSE_FILE)
    return found


def kafka_properties() -> dict[str, str]:
    """The broker's settings, as the image makes them from the environment."""
    environment = compose()["services"]["kafka"]["environment"]
    return {
        name.removeprefix("KAFKA_").lower().replace("_", "."): str(value)
        for name, value in environment.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    }
