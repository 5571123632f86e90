"""The three ways of finding inputs.

``blind`` mutates the seeds without looking at the code: it needs nothing but the standard
library, and the same seed gives the same inputs. ``stretched`` grows inputs to a megabyte, to
see what grows faster than they do. ``guided`` lets atheris (libFuzzer) keep what reaches code
that nothing reached before.
"""

import random
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from tests.fuzz.inputs import GS, US
from tests.fuzz.mutate import Mutator, dictionary

__all__ = ["MAX_BYTES", "blind", "guided", "stretched"]

MAX_BYTES: Final = 8_192
"""Of an input, but for the stretched ones."""
_MEGABYTE: Final = 1_000_000
_KNOWN: Final = 4
"""Mutants remembered for each seed."""
_PIECES: Final = (1, 2, 8, 40, 200, 2_000)
_OWN_SHARE: Final = 0.6
"""Of mutations that are ours and not libFuzzer's."""


def blind(rng: random.Random, pool: Sequence[bytes]) -> Iterator[bytes]:
    """Inputs without end; the pool itself comes first."""
    yield from pool
    known, mutator = list(pool), Mutator(rng, pool)
    while True:
        data = mutator.mutate(rng.choice(known), MAX_BYTES)
        if len(known) < _KNOWN * len(pool):
            known.append(data)
        else:
            known[rng.randrange(len(pool), len(known))] = data
        yield data


def stretched(rng: random.Random, pool: Sequence[bytes]) -> Iterator[bytes]:
    """Inputs of nearly a megabyte without end: a piece of one, many times over."""
    while True:
        data = rng.choice(pool)
        start = rng.randint(0, len(data))
        end = min(len(data), start + rng.choice(_PIECES))
        head = b"" if data[:1] in (GS, US) else data[:start]
        piece, tail = data[start:end] or b"[", rng.choice((b"", data[end:]))
        times = (_MEGABYTE - len(head) - len(tail)) // len(piece)
        yield head + piece * max(times, 1) + tail


def guided(target: Callable[[bytes], None], corpus: Path, seed: int) -> None:
    """Let libFuzzer run for ever: the target ends the process.

    Args:
        target: Takes an input; must not raise.
        corpus: Holds the seeds, and gets what reaches new code.
        seed: Of its draws.

    Raises:
        ImportError: atheris is not installed.
    """
    import atheris  # noqa: PLC0415  (there is none for every platform)

    rng = random.Random()
    mutator = Mutator(rng, [path.read_bytes() for path in sorted(corpus.iterdir())])

    def mutate(data: bytes, max_size: int, draw: int) -> bytes:
        rng.seed(draw)
        if rng.random() < _OWN_SHARE:
            return mutator.mutate(data, max_size)
        return bytes(atheris.Mutate(data, max_size))

    words = corpus.parent / "dictionary.txt"
    words.write_bytes(dictionary())
    options = {"dict": words, "max_len": MAX_BYTES, "seed": seed, "timeout": 60}
    arguments = [f"-{name}={value}" for name, value in options.items()]
    atheris.Setup([sys.argv[0], str(corpus), *arguments], target, custom_mutator=mutate)
    atheris.Fuzz()
