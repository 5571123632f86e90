"""What processes use."""

import os
import subprocess
import sys

from benchmarks.resources import children, descendants, usage


def test_a_child_and_its_child_are_found() -> None:
    """The tree below a process has every generation and not the process itself."""
    inner = "import sys; sys.stdin.read()"
    outer = (
        "import subprocess, sys;"
        f"p = subprocess.Popen([sys.executable, '-c', {inner!r}]);"
        "print(p.pid, flush=True); p.wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())

        assert process.pid in children(os.getpid())
        assert grandchild in descendants({os.getpid()}) >= {process.pid}
        assert descendants({process.pid}) == {grandchild}
        process.communicate()


def test_usage_adds_up_and_skips_what_has_ended() -> None:
    """Our own usage is more than nothing; of a process that is gone there is none."""
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()

    mine = usage({os.getpid()})

    assert mine.cpu_seconds > 0
    assert mine.peak_rss_bytes >= mine.rss_bytes > 1_000_000
    assert usage({gone.pid}) == (0.0, 0, 0)
