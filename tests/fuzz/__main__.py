"""Fuzzing of the pure pipeline: ``python -m tests.fuzz``, with progress and a verdict.

Ends with exit code 0 when every input kept every promise of ``checks``, 1 when one did not. What
was found lies in ``build/fuzz/found``: the input, and beside it what it broke.
"""

import argparse
import hashlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.fuzz.findings import Findings

BUILD: Final = Path(__file__).parents[2] / "build" / "fuzz"
STRETCHED_SHARE: Final = 0.1
"""Of the time, for inputs of a megabyte."""
REPORT_SECONDS: Final = 30
SLOWDOWN: Final = 4.0
"""By instrumentation, at most."""
ROOMS: Final = ("pipeline", "events", "risk", "windows", "catalog")


def main() -> int:
    """Run it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz", description="Hostile input for decode, ingest and assess."
    )
    parser.add_argument("--seconds", type=float, default=3600, help="how long in all")
    parser.add_argument("--seed", type=int, default=int(time.time()) % 100_000)
    parser.add_argument("--engine", choices=("all", "guided", "blind", "stretched"), default="all")
    parser.add_argument(
        "--build", type=Path, default=BUILD, help="for the corpus and what is found"
    )
    parser.add_argument("--replay", type=Path, nargs="*", help="run these files or folders once")
    given = parser.parse_args()
    if given.replay is not None:
        return _replay(given.replay)
    engine, until = given.engine, time.monotonic() + given.seconds
    say(f"seed {given.seed}, {given.seconds:.0f} s, files in {given.build}")
    if engine == "all":
        share = given.seconds * (1 - STRETCHED_SHARE)
        failed = _child("guided" if find_spec("atheris") else "blind", share, given)
        return max(failed, _drawn("stretched", until, given.seed, given.build))
    if engine == "guided":
        _guided(until, given.seed, given.build)
    return _drawn(engine, until, given.seed, given.build)


def say(text: str) -> None:
    """Progress, with the time."""
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


def _child(engine: str, seconds: float, given: argparse.Namespace) -> int:
    """In a process of its own, because instrumented code is slow and stays so."""
    if engine == "blind":
        say("atheris is not installed: mutating without looking at the code")
    options = {"engine": engine, "seconds": seconds, "seed": given.seed, "build": given.build}
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return subprocess.run([sys.executable, "-m", "tests.fuzz", *words], check=False).returncode


def _guided(until: float, seed: int, build: Path) -> None:
    """Ends the process."""
    import atheris  # noqa: PLC0415  (there is none for every platform)

    with atheris.instrument_imports(include=[f"riskstream.{room}" for room in ROOMS]):
        from tests.fuzz.engines import guided  # noqa: PLC0415  (imports what is instrumented)
        from tests.fuzz.findings import Findings  # noqa: PLC0415
        from tests.fuzz.seeds import seeds  # noqa: PLC0415
    corpus = build / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for data in seeds():
        (corpus / hashlib.sha1(data, usedforsecurity=False).hexdigest()).write_bytes(data)
    findings = Findings(build / "found", SLOWDOWN)
    report = time.monotonic() + REPORT_SECONDS

    def target(data: bytes) -> None:
        nonlocal report
        findings.run(data)
        now = time.monotonic()
        if now >= until:
            # libFuzzer takes any other end for a crash
            os._exit(_verdict("guided", findings))
        if now >= report:
            report = now + REPORT_SECONDS
            say(findings.summary())

    guided(target, corpus, seed)


def _drawn(engine: str, until: float, seed: int, build: Path) -> int:
    from tests.fuzz import engines  # noqa: PLC0415  (only once is clear what is instrumented)
    from tests.fuzz.findings import Findings  # noqa: PLC0415
    from tests.fuzz.seeds import seeds  # noqa: PLC0415

    corpus = sorted((build / "corpus").glob("*"))
    pool = list(dict.fromkeys([*seeds(), *(path.read_bytes() for path in corpus)]))
    draw = engines.blind if engine == "blind" else engines.stretched
    findings = Findings(build / "found")
    report = time.monotonic() + REPORT_SECONDS
    for data in draw(random.Random(seed), pool):
        findings.run(data)
        now = time.monotonic()
        if now >= until:
            break
        if now >= report:
            report = now + REPORT_SECONDS
            say(findings.summary())
    return _verdict(engine, findings)


def _replay(places: Iterable[Path]) -> int:
    from tests.fuzz.findings import Findings  # noqa: PLC0415  (as above)

    findings = Findings(BUILD / "found")
    for place in places:
        files = sorted(place.iterdir()) if place.is_dir() else [place]
        for path in files:
            if path.suffix != ".txt" and not findings.run(path.read_bytes()):
                say(f"{path} still breaks a promise")
    return _verdict("replay", findings)


def _verdict(engine: str, findings: "Findings") -> int:
    say(f"{engine}: {findings.summary()}")
    for name, count in findings.faults.most_common():
        say(f"{count:7} {findings.folder / name}.txt")
    return 1 if findings.faults else 0


if __name__ == "__main__":
    sys.exit(main())
