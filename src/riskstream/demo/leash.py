"""Child processes that cannot outlive us.

A leashed command runs under a small guard process of its own session.
The guard holds the reading end of a pipe whose writing end is ours: when we end, however we end,
the pipe closes and the guard kills the command's whole group.
This file is both sides: imported it is ours, run as a script it is the guard.
As a script it runs isolated from any site, so it uses the standard library alone.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType

__all__ = ["LeashedProcess"]

COMMAND_NOT_RUN = 127
"""Exit code when the command could not be started, as a shell has it."""


class LeashedProcess:
    """A running command with its output in a file; ends when this process ends.

    Args:
        command: The program, as a path or a name on PATH, and its arguments.
        log: Gets stdout and stderr, appended.
        env: The whole environment of the command; without it ours.
        cwd: Its working directory; without it ours.
        stdout: Gets stdout apart from stderr.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        stdout: Path | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as errors, (stdout or log).open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603  (the command is the caller's)
                [sys.executable, "-I", "-S", __file__, *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=errors,
                env=None if env is None else dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """The guard's process id, not the command's."""
        return self._guard.pid

    def poll(self) -> int | None:
        """Exit code of the command, None while it runs; 128 + n after it ended by signal n."""
        code = self._guard.poll()
        if code is not None:
            self._let_go()
        return code

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the command to end by itself.

        Raises:
            subprocess.TimeoutExpired: It still runs after ``timeout`` seconds.
        """
        code = self._guard.wait(timeout)
        self._let_go()
        return code

    def terminate(self) -> None:
        """Send SIGTERM to the command itself, not to its children, and return at once."""
        if self._guard.poll() is None:
            self._guard.send_signal(signal.SIGTERM)

    def stop(self, timeout: float = 10.0) -> int:
        """Send SIGTERM, wait, and kill what is left after ``timeout`` seconds."""
        self.terminate()
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """Send SIGKILL to the command and everything in its group, and wait for it to be gone."""
        self._let_go()
        return self.wait()

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log, for messages."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _let_go(self) -> None:
        if self._guard.stdin is not None:
            self._guard.stdin.close()


def _hold(command: Sequence[str]) -> int:
    """Run the command until it ends or the pipe closes; the guard's whole life."""
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, process_group=0)  # noqa: S603
    except OSError as fault:
        sys.stderr.write(f"{command[0]}: {fault}\n")
        return COMMAND_NOT_RUN

    def forward(number: int, _frame: FrameType | None) -> None:
        child.send_signal(number)

    def end_all() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)

    def watch() -> None:
        while os.read(0, 1):
            pass
        end_all()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, forward)
    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    end_all()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    outcome = _hold(sys.argv[1:])
    # Not sys.exit: the watching thread is still in its read.
    os._exit(outcome)
