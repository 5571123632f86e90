"""The manifests for Kubernetes: valid, hardened, and in step with the code and the alerts."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from jsonschema import Draft202012Validator

from riskstream.config import Settings, load_settings
from riskstream.console.web.access import check_access
from riskstream.events.topics import CLASSIFIED, RAW
from tests.support.crds import SCHEMAS
from tests.support.deploy import DOCKERFILE, ROOT
from tests.support.kustomize import build

MANIFESTS = ROOT / "deploy" / "kubernetes"
BUILDS = {
    name: build(MANIFESTS / name)
    for name in ("overlays/small", "overlays/production", "overlays/complete", "strimzi")
}
BESIDE = {
    "console": ["console"],
    "notify": ["notify"],
    "source-poll": ["source", "poll"],
    "source-webhook": ["source", "webhook"],
}
"""What stands beside the workers, each a component, and the command that it runs."""


def _of_worker(manifest: dict[str, Any]) -> bool:
    return bool(manifest["metadata"]["labels"]["app.kubernetes.io/name"] == "riskstream")


EVERY = [
    pytest.param(manifest, id=f"{name}-{manifest['kind']}-{manifest['metadata']['name']}")
    for name, manifests in BUILDS.items()
    for manifest in manifests
]
WORKERS = [
    pytest.param(manifest, id=f"{name}-{manifest['metadata']['name']}")
    for name, manifests in BUILDS.items()
    for manifest in manifests
    if manifest["kind"] == "StatefulSet" and _of_worker(manifest)
]
PODS = [
    pytest.param(manifest, id=f"{name}-{manifest['metadata']['name']}")
    for name, manifests in BUILDS.items()
    for manifest in manifests
    if manifest["kind"] in {"StatefulSet", "Deployment", "Job"}
]
VERSIONS = ("1.30", "1.37")
"""Of Kubernetes: the oldest that the manifests are for, and a new one."""


def _of(name: str, kind: str) -> dict[str, dict[str, Any]]:
    """The manifests of a kind by their names."""
    return {
        one["metadata"]["name"]: one for one in BUILDS[f"overlays/{name}"] if one["kind"] == kind
    }


def _pod(manifest: dict[str, Any]) -> dict[str, Any]:
    pod: dict[str, Any] = manifest["spec"]["template"]["spec"]
    return pod


def _container(manifest: dict[str, Any]) -> dict[str, Any]:
    (container,) = _pod(manifest)["containers"]
    found: dict[str, Any] = container
    return found


@pytest.mark.parametrize("manifest", EVERY)
def test_every_manifest_is_valid(manifest: dict[str, Any]) -> None:
    """Core kinds by Kubernetes' own schemas, without an unknown field; others by their fields."""
    if manifest["kind"] in SCHEMAS:
        faults = list(Draft202012Validator(SCHEMAS[manifest["kind"]]).iter_errors(manifest))
        assert not faults, [fault.message for fault in faults]
        return
    for version in VERSIONS:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_a_mistake_is_found() -> None:
    """Both ways of checking refuse a field that does not exist."""
    (service,) = _of("small", "Service").values()
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**service, "spec": {**service["spec"], "clusterIp": "None"}}, VERSIONS[0], strict=True
        )
    scaled = next(iter(_of("production", "ScaledObject").values()))
    wrong = {**scaled, "spec": {**scaled["spec"], "maxReplicas": 3}}
    assert not Draft202012Validator(SCHEMAS["ScaledObject"]).is_valid(wrong)


def test_the_made_files_are_what_the_code_makes() -> None:
    """Topics, users and alerts; deploy/kubernetes/generate.py writes them anew."""
    made = runpy.run_path(str(MANIFESTS / "generate.py"))["manifests"]()
    assert len(made) == 3
    for path, text in made.items():
        assert path.read_text(encoding="utf-8") == text, f"{path}: run generate.py"


def test_the_alerts_are_those_of_prometheus() -> None:
    """Every rule file's groups, none twice."""
    (rule,) = _of("production", "PrometheusRule").values()
    names = [group["name"] for group in rule["spec"]["groups"]]
    texts = [path.read_text() for path in (ROOT / "deploy/prometheus/rules").glob("*.yml")]
    there = [
        name for text in texts for name in re.findall(r"^  - name: (\S+)$", text, re.MULTILINE)
    ]
    assert sorted(names) == sorted(there)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("manifest", PODS)
def test_pods_have_no_rights_to_lose(manifest: dict[str, Any]) -> None:
    """Not root, nothing writable but what is mounted, no capabilities, no token."""
    pod, container = _pod(manifest), _container(manifest)
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"USER {pod['securityContext']['runAsUser']}:" in DOCKERFILE.read_text()
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert not container["image"].endswith(":latest")
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    claims = {one["metadata"]["name"] for one in manifest["spec"].get("volumeClaimTemplates", ())}
    assert mounted == {volume["name"] for volume in pod["volumes"]} | claims
    for volume in pod["volumes"]:
        assert volume["name"] == "tmp" or set(volume) & {"configMap", "secret"}


@pytest.mark.parametrize("manifest", WORKERS)
def test_settings_of_the_workers_are_settings(
    manifest: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file and the variables together, as the worker would read them."""
    monkeypatch.chdir(tmp_path)
    build_of = next(found for found in BUILDS.values() if any(one is manifest for one in found))
    (config,) = [one for one in build_of if one["kind"] == "ConfigMap"]
    (tmp_path / "riskstream.toml").write_text(config["data"]["riskstream.toml"])
    for variable in _container(manifest)["env"]:
        value = variable.get("value", "$(RISKSTREAM_WORKER__NAME)")
        value = value.replace("$(RISKSTREAM_WORKER__NAME)", "riskstream-assess-0")
        monkeypatch.setenv(variable["name"], value)
    settings = load_settings()
    assert settings.worker.name == "riskstream-assess-0"
    assert settings.http.host == "0.0.0.0"  # noqa: S104  (inside the pod)
    assert settings.http.advertised_host == "riskstream-assess-0.riskstream"
    assert settings.log.format == "json"
    port = int(settings.kafka.bootstrap_servers.rsplit(":")[-1])
    policy = next(one for one in build_of if one["kind"] == "NetworkPolicy")
    assert policy["metadata"]["name"] == "riskstream"
    assert {"protocol": "TCP", "port": port} in policy["spec"]["egress"][-1]["ports"]


@pytest.mark.parametrize("manifest", WORKERS)
def test_probes_know_recovery(manifest: dict[str, Any]) -> None:
    """A long recovery keeps a pod from being ready, and restarts nothing."""
    container = _container(manifest)
    assert container["startupProbe"]["httpGet"]["path"] == "/health/live"
    assert container["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert container["readinessProbe"]["httpGet"]["path"] == "/health/ready"
    assert container["ports"] == [{"name": "http", "containerPort": Settings().http.port}]
    startup = container["startupProbe"]
    wait = startup["periodSeconds"] * startup["failureThreshold"]
    assert wait >= 2 * Settings().kafka.transaction_timeout_seconds


@pytest.mark.parametrize("manifest", WORKERS)
def test_workers_have_time_to_end_and_names_that_last(manifest: dict[str, Any]) -> None:
    """The grace covers the units in flight and the supervisor; the member is the pod."""
    pod, spec = _pod(manifest), manifest["spec"]
    supervisor_seconds = 10
    least = Settings().worker.shutdown_timeout_seconds + supervisor_seconds
    assert pod["terminationGracePeriodSeconds"] > least
    names = {one["name"]: one for one in _container(manifest)["env"]}
    field = names["RISKSTREAM_WORKER__NAME"]["valueFrom"]["fieldRef"]["fieldPath"]
    assert field == "metadata.name"
    assert spec["podManagementPolicy"] == "Parallel"
    assert pod["enableServiceLinks"] is False
    role = spec["template"]["metadata"]["labels"]["app.kubernetes.io/component"]
    assert _container(manifest)["args"] == ["worker", "--role", role]


@pytest.mark.parametrize("name", ["small", "production"])
def test_selectors_find_the_pods(name: str) -> None:
    """Service, disruption budgets, network policy and stateful sets by labels that exist."""
    pods = [
        one["spec"]["template"]["metadata"]["labels"] for one in _of(name, "StatefulSet").values()
    ]
    (service,) = _of(name, "Service").values()
    assert all(service["spec"]["selector"].items() <= labels.items() for labels in pods)
    assert service["spec"]["publishNotReadyAddresses"] is True
    for manifest in _of(name, "StatefulSet").values():
        assert manifest["spec"]["serviceName"] == service["metadata"]["name"]
    for budget in _of(name, "PodDisruptionBudget").values():
        selector = budget["spec"]["selector"]["matchLabels"].items()
        assert sum(selector <= labels.items() for labels in pods) == 1
    policy = _of(name, "NetworkPolicy")["riskstream"]
    assert all(
        policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items() for labels in pods
    )
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_rows_lie_on_a_volume_in_production() -> None:
    """Where the settings say, on a volume of the pod's own that outlives it."""
    worker = _of("production", "StatefulSet")["riskstream-assess"]
    env = {one["name"]: one.get("value") for one in _container(worker)["env"]}
    mounts = {one["mountPath"]: one["name"] for one in _container(worker)["volumeMounts"]}
    (claim,) = worker["spec"]["volumeClaimTemplates"]
    assert env["RISKSTREAM_STATE__STORE"] == "rocksdict"
    assert mounts[env["RISKSTREAM_STATE__DIRECTORY"] or ""] == claim["metadata"]["name"]
    assert _pod(worker)["securityContext"]["fsGroup"] == 10001
    assert ",rocksdict," in DOCKERFILE.read_text()


def test_production_logs_in_as_the_users_of_strimzi() -> None:
    """Each role by its own user, with the secret that Strimzi makes of its name."""
    users = {one["metadata"]["name"] for one in BUILDS["strimzi"] if one["kind"] == "KafkaUser"}
    for name, worker in _of("production", "StatefulSet").items():
        env = {one["name"]: one.get("value") for one in _container(worker)["env"]}
        user = env["RISKSTREAM_KAFKA__SECURITY__USERNAME"]
        assert user == name.replace("riskstream-", "riskstream-worker-")
        assert user in users
        secrets = {
            volume["secret"]["secretName"]
            for volume in _pod(worker)["volumes"]
            if "secret" in volume
        }
        assert user in secrets
    assert "riskstream-scaler" in users


def test_rows_are_for_those_who_may_and_have_the_token() -> None:
    """The worker that has the rows knows the token, by a file; a policy says from where."""
    worker = _of("production", "StatefulSet")["riskstream-assess"]
    env = {one["name"]: one.get("value") for one in _container(worker)["env"]}
    mounts = [one["mountPath"] for one in _container(worker)["volumeMounts"]]
    file = Path(env["RISKSTREAM_HTTP__TOKEN_FILE"] or "")
    assert str(file.parent) in mounts
    policy = _of("production", "NetworkPolicy")["riskstream-rows"]
    labels = worker["spec"]["template"]["metadata"]["labels"].items()
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels


def test_scaling_is_by_the_lag_of_the_worker_s_own_group() -> None:
    """Group and topic of each role; no more pods than partitions, never none."""
    kafka = tomllib.loads((MANIFESTS / "overlays/production/riskstream.toml").read_text())["kafka"]
    topics = {"ingest": RAW, "assess": CLASSIFIED}
    workers = _of("production", "StatefulSet")
    scaled = _of("production", "ScaledObject")
    assert set(scaled) == set(workers)
    for name, manifest in scaled.items():
        role = name.removeprefix("riskstream-")
        (trigger,) = manifest["spec"]["triggers"]
        assert trigger["metadata"]["consumerGroup"] == f"{Settings().worker.app_id}-{role}"
        assert trigger["metadata"]["topic"] == topics[role]
        assert trigger["metadata"]["bootstrapServers"] == kafka["bootstrap_servers"]
        assert manifest["spec"]["scaleTargetRef"]["name"] == name
        assert manifest["spec"]["minReplicaCount"] >= 1
        assert manifest["spec"]["maxReplicaCount"] == kafka["partitions"]
        assert "replicas" not in workers[name]["spec"]


def test_one_job_for_both_roles_is_scraped() -> None:
    """The alerts count over a job, so both roles must be one: by the service's name."""
    (monitor,) = _of("production", "ServiceMonitor").values()
    (service,) = _of("production", "Service").values()
    labels = monitor["spec"]["selector"]["matchLabels"].items()
    assert labels <= service["metadata"]["labels"].items()
    ports = {port["name"] for port in service["spec"]["ports"]}
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def _beside(kinds: set[str], name: str) -> dict[str, Any]:
    (found,) = (
        one
        for one in BUILDS["overlays/complete"]
        if one["kind"] in kinds and one["metadata"]["name"] == f"riskstream-{name}"
    )
    manifest: dict[str, Any] = found
    return manifest


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_what_stands_beside_the_workers_is_set_up_and_probed(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Its variables are settings, its ports those that it listens on, its secrets files."""
    monkeypatch.chdir(tmp_path)
    manifest = _beside({"StatefulSet", "Deployment"}, name)
    container = _container(manifest)
    assert container["args"] == BESIDE[name]
    for variable in container["env"]:
        monkeypatch.setenv(variable["name"], variable.get("value", "a-name"))
    settings = load_settings()
    served = {"console": settings.console.http_port, "notify": settings.notify.http_port}
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports.pop("http") == served.get(name, settings.http.port)
    others = {"console": settings.console.port, "source-webhook": settings.webhook.port}
    assert list(ports.values()) == [others[name] for _ in range(1) if name in others]
    for probe, path in (("startup", "live"), ("liveness", "live"), ("readiness", "ready")):
        asked = container[f"{probe}Probe"]["httpGet"]
        assert asked == {"path": f"/health/{path}", "port": "http"}
    files = [
        Path(variable["value"])
        for variable in container["env"]
        if variable["name"].endswith("_FILE") and "KAFKA" not in variable["name"]
    ]
    (volume,) = (each for each in _pod(manifest)["volumes"] if each["name"] == "secrets")
    (mount,) = (each for each in container["volumeMounts"] if each["name"] == volume["name"])
    items = {item["path"] for item in volume["secret"]["items"]}
    assert {file.name for file in files} == items
    assert {str(file.parent) for file in files} == {mount["mountPath"]}
    assert volume["secret"]["secretName"] == f"riskstream-{name}-secrets"
    if name == "console":
        check_access(settings.console)
        mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        (claim,) = manifest["spec"]["volumeClaimTemplates"]
        assert mounts[claim["metadata"]["name"]] == str(settings.console.directory)
        size = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) << 30
        assert settings.console.max_bytes < 0.9 * size


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_what_stands_beside_the_workers_logs_in_as_its_user_of_strimzi(name: str) -> None:
    """With that user's secret, which is none of its own: the operator writes these anew."""
    users = {one["metadata"]["name"] for one in BUILDS["strimzi"] if one["kind"] == "KafkaUser"}
    manifest = _beside({"StatefulSet", "Deployment"}, name)
    env = {one["name"]: one.get("value") for one in _container(manifest)["env"]}
    user = env["RISKSTREAM_KAFKA__SECURITY__USERNAME"]
    part = "raw-producer" if name == "source-webhook" else name
    assert user == f"riskstream-{part}"
    assert user in users
    volumes = {one["name"]: one["secret"] for one in _pod(manifest)["volumes"] if "secret" in one}
    assert volumes["kafka-user"]["secretName"] == user
    assert volumes["secrets"]["secretName"] not in users


@pytest.mark.parametrize("name", sorted(BESIDE))
def test_what_stands_beside_the_workers_is_found_and_fenced_in(name: str) -> None:
    """Its service and policy are for it alone, the workers' are not, and it is scraped."""
    manifest = _beside({"StatefulSet", "Deployment"}, name)
    labels = manifest["spec"]["template"]["metadata"]["labels"].items()
    assert manifest["spec"]["selector"]["matchLabels"].items() <= labels
    service, policy = _beside({"Service"}, name), _beside({"NetworkPolicy"}, name)
    assert service["spec"]["selector"].items() <= labels
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    named = {port["name"] for port in _container(manifest)["ports"]}
    assert {port["targetPort"] for port in service["spec"]["ports"]} == named
    let_in = [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]]
    assert set(let_in) == named
    (monitor,) = _of("complete", "ServiceMonitor").values()
    wanted = monitor["spec"]["selector"]["matchLabels"].items()
    assert wanted <= service["metadata"]["labels"].items()
    workers = _of("complete", "Service")["riskstream"]
    assert not workers["spec"]["selector"].items() <= labels
    if manifest["kind"] == "StatefulSet":
        assert manifest["spec"]["serviceName"] == service["metadata"]["name"]
