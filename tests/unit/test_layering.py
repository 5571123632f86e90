"""Rules between the rooms: the import contracts, and what an import graph cannot see."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import grimp
import pytest

Node = TypeVar("Node", bound=ast.AST)

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "riskstream"
MODULES = sorted(PACKAGE.rglob("*.py"))
PURE_ROOMS = {"events", "catalog", "windows", "risk", "pipeline", "views"}
PURE = [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in PURE_ROOMS]
CLOCKS = {"now", "utcnow", "today"}
OUTSIDE_WORLD = {"open", "print", "input", "breakpoint", "exec", "eval"}
TOPIC_NAME = re.compile(r"iam\.[a-z.-]+\.v\d+")
MOST_LINES = 500
"""A longer module is two modules."""
MOST_FUNCTION_LINES = 85
"""A longer function fits no screen."""
MOST_AGENT_LINES = 15
"""An agent receives, calls and hands on; what it decides lies in the pipeline."""

each_module = pytest.mark.parametrize(
    "path", MODULES, ids=[str(path.relative_to(PACKAGE)) for path in MODULES]
)
each_pure_module = pytest.mark.parametrize(
    "path", PURE, ids=[str(path.relative_to(PACKAGE)) for path in PURE]
)


def test_the_import_contracts_are_kept() -> None:
    """The contracts of pyproject.toml; in a process of its own, for it sets up logging anew."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_see_the_standard_library() -> None:
    """Without its modules in the graph the rule against I/O would forbid nothing."""
    graph = grimp.build_graph("riskstream", include_external_packages=True, cache_dir=None)
    assert "riskstream.config" in graph.find_modules_that_directly_import("os")
    assert "riskstream.demo.broker" in graph.find_modules_that_directly_import("socket")


@each_pure_module
def test_pure_rooms_read_no_clock_and_touch_no_file(path: Path) -> None:
    """Time comes from the event or an argument; only the loaders read, through pathlib."""
    calls = {call.lineno: _called(call) for call in _nodes(path, ast.Call)}
    forbidden = CLOCKS | OUTSIDE_WORLD
    assert {line: name for line, name in calls.items() if name in forbidden} == {}


@each_module
def test_topic_names_stand_in_one_module(path: Path) -> None:
    """A topic's name is written in ``events/topics.py`` and nowhere else."""
    texts = {node.value for node in _nodes(path, ast.Constant) if isinstance(node.value, str)}
    names = {text for text in texts - {*_docstrings(path)} if TOPIC_NAME.fullmatch(text)}
    assert bool(names) == (path == PACKAGE / "events" / "topics.py"), names


@each_module
def test_modules_and_functions_stay_small(path: Path) -> None:
    """What outgrows the budget is split."""
    functions = [*_nodes(path, ast.FunctionDef), *_nodes(path, ast.AsyncFunctionDef)]
    long = [ast.unparse(node)[:60] for node in functions if _lines(node) > MOST_FUNCTION_LINES]
    assert long == []
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@each_module
def test_modules_say_what_they_offer(path: Path) -> None:
    """A module that defines something public has ``__all__``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {
        node.name
        for node in tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    public = {name for name in defined if not name.startswith("_")}
    assert not public or _exported(tree) is not None


def test_agents_decide_nothing() -> None:
    """Every agent's body is short enough to see that it only hands on."""
    agents = [
        node
        for path in (PACKAGE / "streaming").glob("*.py")
        for node in _nodes(path, ast.AsyncFunctionDef)
        if any("agent" in ast.unparse(decorator) for decorator in node.decorator_list)
    ]
    assert agents
    assert [node.name for node in agents if _lines(node) > MOST_AGENT_LINES] == []


def test_starting_the_command_does_not_load_the_stream_engine() -> None:
    """Help and the commands that need no Kafka stay quick."""
    script = (
        "import sys, riskstream.cli.app; print(*sorted({'faust', 'aiokafka'} & {*sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == []


def _nodes(path: Path, kind: type[Node]) -> Iterator[Node]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, kind):
            yield node


def _called(call: ast.Call) -> str:
    """The name called: of a method too, but for a bare builtin only where nothing precedes it."""
    match call.func:
        case ast.Name(id=name):
            return name
        case ast.Attribute(attr=name) if name in CLOCKS:
            return name
        case _:
            return ""


def _docstrings(path: Path) -> Iterator[str]:
    """Texts that stand as statements: docstrings and the strings under constants."""
    for node in _nodes(path, ast.Expr):
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.value.value


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None
