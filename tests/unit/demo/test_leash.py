"""Child processes end with us, and say how they ended."""

import signal
import subprocess
import sys
from pathlib import Path

from riskstream.demo import leash
from riskstream.demo.leash import LeashedProcess

SLEEPER = "import sys, time; print('up', flush=True); time.sleep(600)"


def _wait_for_output(log: Path, process: LeashedProcess) -> None:
    while not log.read_bytes():
        assert process.poll() is None


def test_the_exit_code_and_the_output_are_the_command_s(tmp_path: Path) -> None:
    """A command that ends by itself reports its own exit code."""
    script = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)"
    process = LeashedProcess([sys.executable, "-c", script], log=tmp_path / "log")
    assert process.wait(60) == 7
    assert set(process.tail().splitlines()) == {"out", "err"}


def test_stdout_can_go_to_a_file_of_its_own(tmp_path: Path) -> None:
    """Data on stdout stays apart from what goes to the log."""
    script = "import sys; print('out'); print('err', file=sys.stderr)"
    process = LeashedProcess(
        [sys.executable, "-c", script], log=tmp_path / "log", stdout=tmp_path / "out"
    )
    assert process.wait(60) == 0
    assert (tmp_path / "out").read_text() == "out\n"
    assert process.tail() == "err"


def test_sigterm_reaches_the_command(tmp_path: Path) -> None:
    """Stopping lets a command end in its own way."""
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))\n"
        "print('up', flush=True)\n"
        "time.sleep(600)\n"
    )
    process = LeashedProcess([sys.executable, "-c", script], log=tmp_path / "log")
    _wait_for_output(tmp_path / "log", process)
    assert process.stop(60) == 5


def test_a_command_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Stopping always ends."""
    script = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER
    process = LeashedProcess([sys.executable, "-c", script], log=tmp_path / "log")
    _wait_for_output(tmp_path / "log", process)
    assert process.stop(0.1) == 128 + signal.SIGKILL


def test_a_kill_takes_the_command_s_children_too(tmp_path: Path) -> None:
    """The whole group ends, children that the command started included."""
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPER!r}])"
    guard = [sys.executable, leash.__file__, sys.executable, "-c", parent]
    with subprocess.Popen(guard, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.stdin.close()
        # Guard, command and grandchild hold the other end: it closes when all are gone.
        assert process.stdout.read() == b""


def test_a_command_that_cannot_start_says_so(tmp_path: Path) -> None:
    """The code is a shell's for a command that could not be run, the reason is in the log."""
    process = LeashedProcess([str(tmp_path / "absent")], log=tmp_path / "log")
    assert process.wait(60) == 127
    assert "absent" in process.tail()


def test_no_child_is_left_when_we_are_killed(tmp_path: Path) -> None:
    """SIGKILL to the owner ends the leashed command."""
    owner = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from riskstream.demo.leash import LeashedProcess\n"
        f"LeashedProcess([sys.executable, '-c', {SLEEPER!r}], log=Path(sys.argv[1]),"
        " stdout=Path('/dev/stdout'))\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", owner, str(tmp_path / "log")], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.kill()
        # The command holds the other end of this pipe: it closes when the command is gone.
        assert process.stdout.read() == b""
