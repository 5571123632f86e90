"""Raw records for a chaos run: ordinary ones, hostile ones, oversized ones, odd times."""

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

__all__ = ["RawRecord", "Workload"]

ACCOUNT = 1234
USERS = 400
HOURS = 30.0
"""Of event time that the planned events cover; they end where the run begins."""
EVERYDAY = (5, 5, 6, 6, 7, 8, 8, 9, 12, 14, 19, 21, 32, 35, 39, 40, 950, 1002, 1400)
"""Sign-ins, failures, locks and unlocks, so that every kind of row changes all the time."""
RECENT = 500
"""Events, one of which may be sent again: a webhook retried, polls that overlap."""
OVERSIZED = 700_000
"""Bytes of a text whose JSON form, escaped twice, exceeds any largest message."""


@dataclass(frozen=True, slots=True)
class RawRecord:
    """What is sent."""

    value: bytes | None
    key: bytes | None
    events: int
    """How many outcomes it has at most, for the feeder's rate."""


class Workload:
    """An endless run of raw records, the same for the same seed and the same settings.

    Args:
        seed: Of everything.
        type_ids: Event types of the catalog, some of which are drawn from at random.
        planned: Events over which event time moves up to now; later ones lie in the future.
    """

    def __init__(self, seed: int, type_ids: list[int], planned: int) -> None:
        self._rng = random.Random(seed)
        self._type_ids = type_ids
        self._begin = datetime.now(UTC).timestamp() - HOURS * 3600
        self._step = HOURS * 3600 / planned
        self._serial = 0
        self._sent: deque[dict[str, Any]] = deque(maxlen=RECENT)
        self.poison = False
        """Every third record is hostile."""

    def next(self) -> RawRecord:
        """The next record: one event, an array of up to ten, or something that is neither."""
        rng = self._rng
        user = rng.randrange(USERS)
        if rng.random() < (0.33 if self.poison else 0.005):
            return RawRecord(rng.choice(_HOSTILE)(rng), b"user-%d" % user, 1)
        if rng.random() < 0.0005:
            return RawRecord(self._oversized(user), b"user-%d" % user, 1)
        if rng.random() < 0.6:
            return RawRecord(_json(self._event(user)), b"user-%d" % user, 1)
        members: list[Any] = [
            self._event(rng.randrange(USERS)) for _ in range(rng.randrange(2, 11))
        ]
        if rng.random() < 0.05:
            members.insert(rng.randrange(len(members)), {"account_id": ACCOUNT, "notes": "no type"})
        return RawRecord(_json(members), b"page-%d" % user, len(members))

    def _event(self, user: int) -> dict[str, Any]:
        """A new event; one time in fifty one that was sent a short while ago, once more."""
        if self._sent and self._rng.random() < 0.02:
            return self._rng.choice(self._sent)
        event = self._new_event(user)
        self._sent.append(event)
        return event

    def _new_event(self, user: int) -> dict[str, Any]:
        rng, serial = self._rng, self._serial
        self._serial += 1
        everyday = rng.random() < 0.8
        type_id = rng.choice(EVERYDAY) if everyday else rng.choice(self._type_ids)
        # In the order of the raw topic most of the time, and up to an hour late now and then.
        moment = self._begin + self._step * serial - (rng.random() * 3600 * (rng.random() < 0.1))
        actor = user if everyday and rng.random() < 0.9 else USERS + rng.randrange(20)
        return {
            "id": 45_000_000_000 + serial,
            "created_at": self._time(user, moment),
            "account_id": ACCOUNT,
            "user_id": user,
            "user_name": f"User {user}",
            "actor_user_id": actor,
            "event_type_id": type_id,
            "ipaddr": f"192.0.2.{user % 250}",
            "notes": "Authentication method: password." if everyday else "x" * 300,
        }

    def _time(self, user: int, moment: float) -> str:
        """Users beyond the 380th live in the far past, one event in 200 in the far future."""
        rng = self._rng
        if user >= USERS - 20:
            return f"{rng.choice((1971, 1999, 2015))}-03-0{rng.randrange(1, 9)}T12:00:00.000Z"
        if rng.random() < 0.005:
            return rng.choice(("2999-01-01T00:00:00.000Z", "9998-12-31T23:59:59.999Z"))
        text = datetime.fromtimestamp(int(moment * 1000) / 1000, UTC).isoformat("T", "milliseconds")
        return text.replace("+00:00", "Z")

    def _oversized(self, user: int) -> bytes:
        """Fits the raw topic; the scored record with its text escaped once more does not."""
        event = self._new_event(user)
        event["notes"] = '"\\' * (OVERSIZED // 4)
        return _json(event)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


def _noise(rng: random.Random) -> bytes:
    return b"\xff" + rng.randbytes(rng.randrange(1, 200)).translate(None, b"\r\n")


_CUT = _json({"account_id": ACCOUNT, "event_type_id": 6, "user_id": 7, "notes": "cut off"})
_HOSTILE: tuple[Callable[[random.Random], bytes | None], ...] = (
    lambda _: None,
    lambda _: b"",
    _noise,
    lambda rng: _CUT[: rng.randrange(2, len(_CUT) - 1)],
    lambda _: _CUT[:-1] + b', "risk_score": NaN}',
    lambda _: _CUT[:-1] + b', "user_name": "\\ud800"}',
    lambda _: b"[" * 100_000,
    lambda _: b"\x00" * 64,
    lambda _: b'"only text"',
    lambda _: b"Obj\x01\x04\x14avro.codec\x08null\xff\xfe",
    lambda _: _json({"greeting": "hello"}),
    lambda _: b"x" * 1_010_000,
)
"""One dead letter each, but for the first two, which are filtered."""
