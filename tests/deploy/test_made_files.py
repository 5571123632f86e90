"""What containers and Kubernetes get of the alerts, put to promtool."""

import shutil
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.support.deploy import ROOT
from tests.support.prometheus import RULES, read_yaml

pytestmark = pytest.mark.tools


def _promtool(*arguments: str) -> None:
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_compose_file_s_configuration(tmp_path: Path) -> None:
    """With the rules where the container has them."""
    shutil.copy(ROOT / "deploy" / "compose" / "prometheus.yml", tmp_path)
    shutil.copytree(RULES, tmp_path / "rules")
    _promtool("check", "config", "--lint=all", "--lint-fatal", str(tmp_path / "prometheus.yml"))


def test_the_rules_for_the_operator_are_rules(tmp_path: Path) -> None:
    """The operator writes the spec of a PrometheusRule into a rule file as it is."""
    made = read_yaml(ROOT / "deploy/kubernetes/components/monitoring/rules.yaml")
    file = tmp_path / "rules.yml"
    YAML(typ="safe").dump(made["spec"], file)
    _promtool("check", "rules", "--lint=all", "--lint-fatal", str(file))
