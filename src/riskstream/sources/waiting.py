"""How long to wait after a fault, and which events came before. Pure."""

from collections.abc import Iterable, Sequence

from riskstream.sources.answers import event_identity

__all__ = ["RecentIds", "backoff_seconds"]

MOST_DOUBLINGS = 32


def backoff_seconds(attempt: int, first: float, most: float, draw: float) -> float:
    """Twice as long with each attempt, up to ``most``; the upper half of it by chance.

    Args:
        attempt: From 0.
        first: Seconds of the first wait, before chance.
        most: Seconds of the longest.
        draw: From 0 to 1, so that many who failed at once do not come again at once.
    """
    full = min(first * 2.0 ** min(attempt, MOST_DOUBLINGS), most)
    return float(full * (0.5 + 0.5 * draw))


class RecentIds:
    """The latest ids, so that sweeps that overlap do not send an event twice.

    Ids are entered once their events are committed. What was forgotten is sent again, and then
    ingest's filter drops it.

    Args:
        most: Ids held; the oldest go first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def fresh(self, events: Sequence[bytes]) -> dict[str, bytes]:
        """Those events that are not known, by identity, in order, each once."""
        found: dict[str, bytes] = {}
        for event in events:
            identity = event_identity(event)
            if identity not in self._ids:
                found.setdefault(identity, event)
        return found

    def enter(self, identities: Iterable[str]) -> None:
        """Remember them as the latest."""
        for identity in identities:
            self._ids.pop(identity, None)
            self._ids[identity] = None
        while len(self._ids) > self._most:
            del self._ids[next(iter(self._ids))]
