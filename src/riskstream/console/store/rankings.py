"""Who or what stands out over a range of time, from the columns alone."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from riskstream.console.store.columns import Snapshot
from riskstream.console.store.facets import ROW
from riskstream.console.store.filters import Filters
from riskstream.console.store.matcher import Matcher

__all__ = ["Ranked", "busiest", "riskiest", "scores_of"]

MOST_EVENTS = 1_000_000
"""The newest so many are looked at."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """One of the first."""

    key: int
    """Of its worst event, by which it can be named."""
    highest: int
    """Score."""
    events: int
    others: int = 0
    """How many different users, where it is an address."""


def riskiest(snapshot: Snapshot, filters: Filters, most: int) -> list[Ranked]:
    """The users with the highest scores among the events asked for."""
    keys, users, scores = _columns(snapshot, filters, "user", "score")
    keys, users, scores = _present(users, keys, users, scores)
    if not len(keys):
        return []
    order = np.lexsort((scores, users))
    users, scores, keys = users[order], scores[order], keys[order]
    ends = np.append(np.flatnonzero(users[1:] != users[:-1]), len(users) - 1)
    counts = np.diff(np.append(-1, ends))
    first = np.lexsort((-counts, -scores[ends].astype(np.int64)))[:most]
    return [Ranked(int(keys[ends[at]]), int(scores[ends[at]]), int(counts[at])) for at in first]


def busiest(snapshot: Snapshot, filters: Filters, most: int) -> list[Ranked]:
    """The addresses with the most of the events asked for."""
    keys, ips, users, scores = _columns(snapshot, filters, "ip", "user", "score")
    keys, ips, users, scores = _present(ips, keys, ips, users, scores)
    if not len(keys):
        return []
    names, places, counts = np.unique(ips, return_inverse=True, return_counts=True)
    found = []
    for at in np.argsort(-counts, kind="stable")[:most]:
        mine = np.flatnonzero(places == at)
        worst = mine[np.argmax(scores[mine])]
        others = len(np.unique(users[mine]))
        found.append(Ranked(int(keys[worst]), int(scores[worst]), len(mine), others))
    return found if len(names) else []


def scores_of(snapshot: Snapshot, filters: Filters) -> tuple[NDArray[Any], NDArray[Any]]:
    """Keys and scores of the events asked for, in order."""
    keys, scores = _columns(snapshot, filters, "score")
    return keys, scores


def _columns(snapshot: Snapshot, filters: Filters, *names: str) -> list[NDArray[Any]]:
    matcher = Matcher(filters)
    parts: list[list[NDArray[Any]]] = []
    count = 0
    for block in reversed(snapshot.blocks):
        if block.last < filters.low or count >= MOST_EVENTS:
            break
        if block.first >= filters.high:
            continue
        places = matcher.places(block, filters.low, filters.high)
        parts.append([block.keys[places], *(block[name][places] for name in names)])
        count += len(parts[-1][0])
    kinds = [ROW["key"], *(ROW[name] for name in names)]
    return [
        np.concatenate([np.zeros(0, kind), *(part[at] for part in reversed(parts))])
        for at, kind in enumerate(kinds)
    ]


def _present(column: NDArray[Any], *columns: NDArray[Any]) -> list[NDArray[Any]]:
    there = column != 0
    return [each[there] for each in columns]
