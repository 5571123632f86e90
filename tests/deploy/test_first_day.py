"""docs/first-day.md, run as it is written, block by block, in one shell."""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from riskstream.demo.broker import free_port
from riskstream.demo.leash import LeashedProcess
from riskstream.demo.stack import free_ports
from tests.support.deploy import ROOT
from tests.support.processes import environment

PAGE = ROOT / "docs" / "first-day.md"
SECONDS = 240
FENCE = re.compile(r"^```(sh|text|console)(?: exits=(\d+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OURS = (".venv", "Makefile", "pyproject.toml", "constraints.txt", "README.md", "src", "schemas")
"""What the page's commands use of a clone, besides ``deploy``."""


@dataclass(slots=True)
class Block:
    """Commands, what they exit with, and lines that their output has, in order."""

    commands: str
    exit_code: int
    expected: list[str]


def _blocks(text: str) -> list[Block]:
    blocks: list[Block] = []
    for kind, code, body in FENCE.findall(text):
        if kind == "sh":
            blocks.append(Block(body, int(code or 0), []))
        elif kind == "text":
            blocks[-1].expected += body.splitlines()
    return blocks


def _on_free_ports(text: str, ports: dict[str, int]) -> str:
    """The same with other ports: those of the page may be taken on this machine."""
    for usual, free in ports.items():
        text = re.sub(rf"\b{usual}\b", str(free), text)
    return text


def _script(blocks: list[Block], outputs: Path) -> str:
    """All blocks in one shell, each with its output in a file; the first that fails ends it."""
    parts = ["set -u", "trap 'set +e; kill $(jobs -p) 2>/dev/null; wait' EXIT"]
    for number, block in enumerate(blocks):
        mode = "-e" if block.exit_code == 0 else "+e"
        parts += [
            f"{{\nset {mode}\n{block.commands}}} > {outputs}/{number} 2>&1",
            f"code=$?; [ $code -eq {block.exit_code} ] || exit $((100 + code))",
        ]
    return "\n".join([*parts, ""])


@pytest.mark.tools
@pytest.mark.timeout(SECONDS + 60)
def test_the_first_day_goes_as_it_is_written(tmp_path: Path) -> None:
    """Every command with its exit code and output; ports and Prometheus's pace are changed."""
    first = free_ports(2)
    ports = {"9464": first, "9465": first + 1}
    ports |= {usual: free_port() for usual in ("9092", "9090", "9093")}
    clone = tmp_path / "riskstream"
    clone.mkdir()
    for name in OURS:
        (clone / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "deploy", clone / "deploy")
    config = clone / "deploy" / "prometheus" / "prometheus.yml"
    pace = re.sub(r"(interval|timeout): 1[05]s", r"\1: 2s", config.read_text())
    config.write_text(_on_free_ports(pace, ports))
    blocks = _blocks(_on_free_ports(PAGE.read_text(), ports))
    outputs = tmp_path / "outputs"
    outputs.mkdir()
    script = tmp_path / "first-day.sh"
    script.write_text(_script(blocks, outputs))
    day = LeashedProcess(
        ["bash", str(script)],
        log=tmp_path / "log",
        env={**environment({"HTTP__PORT": str(first)}), "COLUMNS": "200"},
        cwd=clone,
    )
    try:
        code: int | str = day.wait(SECONDS)
    except subprocess.TimeoutExpired:
        code = "not at its end in time"
        day.stop()
    written = [path.read_text(errors="replace") for path in _in_order(outputs)]
    shown = "\n".join(f"$ {b.commands}{w}" for b, w in zip(blocks, written, strict=False))
    assert code == 0, f"{code}:\n{shown[-6000:]}{day.tail()}"
    assert len(written) == len(blocks)
    for block, output in zip(blocks, written, strict=True):
        rest = output
        for line in block.expected:
            assert line in rest, f"{line!r} is not in the output of\n{block.commands}\n{output}"
            rest = rest.partition(line)[2]
    assert not (clone / "first-day").exists()


def _in_order(outputs: Path) -> list[Path]:
    return sorted(outputs.iterdir(), key=lambda path: int(path.name))


def test_the_page_has_no_block_that_is_not_looked_at() -> None:
    """All fences are of the kinds that the test knows; one alone is for root and not run."""
    text = PAGE.read_text()
    kinds = [kind for kind, _, _ in FENCE.findall(text)]
    assert text.count("\n```") == 2 * len(kinds)
    assert kinds.count("console") == 1
    assert kinds.count("sh") > 10
    assert kinds[0] == "console"


def test_links_of_the_page_lead_somewhere() -> None:
    """Every page that is named exists."""
    for link in re.findall(r"\]\(([^)#]+)[^)]*\)", PAGE.read_text()):
        assert (PAGE.parent / link).exists(), link
