"""Workers, asked over HTTP for their health and their build."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from riskstream import __version__
from riskstream.cli.checkup.finding import Finding, fail, ok, warn
from riskstream.errors import ConfigError

__all__ = ["WorkerFacts", "ask_worker", "judge_workers"]

TIMEOUT_SECONDS: Final = 5.0
BUILD: Final = "riskstream_build_info"


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What one process says of itself."""

    url: str
    live: bool = False
    ready: bool = False
    body: dict[str, Any] = field(default_factory=dict)
    """Of ``/health/ready``."""
    build: dict[str, str] = field(default_factory=dict)
    """Version, role and policy; empty where ``/metrics`` is not served here."""
    fault: str = ""
    """Why there was no answer."""


def ask_worker(url: str) -> WorkerFacts:
    """Ask ``/health/live``, ``/health/ready`` and ``/metrics``.

    Raises:
        ConfigError: The address is no http one.
    """
    if not url.startswith(("http://", "https://")):
        raise ConfigError(f"A worker's address begins with http:// or https://; not {url}.")
    base = url.rstrip("/")
    try:
        live, _ = _get(f"{base}/health/live")
        ready, body = _get(f"{base}/health/ready")
        shown, metrics = _get(f"{base}/metrics")
    except (OSError, http.client.HTTPException) as fault:
        return WorkerFacts(url, fault=str(getattr(fault, "reason", fault)))
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        return WorkerFacts(
            url, fault="no worker's health is there; with http.health_port it has another address"
        )
    return WorkerFacts(url, live, ready, document, _build(metrics) if shown else {})


def judge_workers(workers: Sequence[WorkerFacts], policy: str) -> Iterator[Finding]:
    """Health of each, and whether they are one build with one policy.

    Args:
        workers: As they answered.
        policy: Version of the policy by the settings of this command.
    """
    for worker in workers:
        yield _health(worker)
    builds = {
        (worker.build.get("version", ""), worker.build.get("policy", ""))
        for worker in workers
        if worker.build
    }
    others = sorted(builds - {(__version__, policy)})
    if others:
        told = "; ".join(f"version {version} with policy {name}" for version, name in others)
        yield warn(
            "builds",
            f"not what this command has (version {__version__} with policy {policy}): {told}",
            "right during an upgrade; else give all workers the same image and settings",
        )
    elif builds:
        yield ok("builds", f"all answer with version {__version__} and policy {policy}")


def _health(worker: WorkerFacts) -> Finding:
    check = f"worker {worker.url}"
    if worker.fault:
        return fail(
            check, worker.fault, "is it running there? Its log line worker_started says where"
        )
    if not worker.live:
        return fail(check, "ends with a fault", "its log says why (work_ended)")
    role = worker.build.get("role", "worker")
    if worker.ready:
        return ok(check, f"{role}, ready; partitions {_numbers(worker.body.get('partitions'))}")
    braked = worker.body.get("braked_partitions")
    if braked:
        return fail(
            check,
            f"{role}; the brake is engaged on partitions {_numbers(braked)}",
            f"`riskstream dlq list`, remedy the cause, then `riskstream dlq release --worker-url "
            f"{worker.url}`",
        )
    recovery = worker.body.get("recovery")
    if recovery:
        return warn(check, f"{role}, reads its tables: {json.dumps(recovery)}", "wait for it")
    return warn(check, f"{role}, not ready: {json.dumps(worker.body)}", "ask again in a minute")


def _get(url: str) -> tuple[bool, bytes]:
    """Whether the answer was a yes, and its body; a 4xx or 5xx is an answer, too."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310  (http only, see ask_worker)
            return True, answer.read()
    except urllib.error.HTTPError as refused:
        with refused:
            return False, refused.read()


def _build(metrics: bytes) -> dict[str, str]:
    from prometheus_client.parser import text_string_to_metric_families

    for family in text_string_to_metric_families(metrics.decode("utf-8", "replace")):
        for sample in family.samples:
            if sample.name == BUILD:
                return dict(sample.labels)
    return {}


def _numbers(numbers: Any) -> str:
    return ", ".join(str(number) for number in numbers or ()) or "none"
