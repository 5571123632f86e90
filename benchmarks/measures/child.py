"""Starting ``state_child`` and reading what it says."""

import json
import os
import subprocess
import sys
from typing import Any, Final

from benchmarks.contenders.contender import ROOT, clean_environment

__all__ = ["measure_state"]

SECONDS: Final = 1800.0


def measure_state(users: int, events: int) -> dict[str, Any]:
    """Rows of so many users in a process of their own; see ``state_child``.

    Raises:
        RuntimeError: The process failed; the text has what it printed.
    """
    path = f"{ROOT}{os.pathsep}{ROOT / 'src'}"
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.measures.state_child", str(users), str(events)],
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
        env=clean_environment() | {"PYTHONPATH": path},
        cwd=ROOT,
    )
    if done.returncode != 0:
        raise RuntimeError(f"state_child failed:\n{done.stderr}")
    told: dict[str, Any] = json.loads(done.stdout)
    return told
