"""Where the fuzzer starts: OneLogin's shapes, hostile ones, records of ours, what was found.

The seeds are the demo generator's records, the events of the tests, the rows of the table of
hostile cases, and what ingest makes of them, for the door of assess.
"""

import json
from itertools import islice
from pathlib import Path
from typing import Final

from riskstream.demo.generator import generate
from riskstream.demo.hostile import BAD_MEMBERS, BROKEN_RECORDS
from riskstream.events.record import Output
from riskstream.events.topics import CLASSIFIED
from tests.fuzz.inputs import DIRECT, GS, RS, SMALL, US
from tests.support.events import (
    API_LOCK_USER,
    Fields,
    encode,
    eventbridge,
    full_event,
    ingest,
    ndjson,
    page,
    rest_event,
    sparse_event,
)

__all__ = ["KEPT", "kept", "seeds"]

KEPT: Final = Path(__file__).parents[1] / "data" / "fuzz"
"""Inputs that found something once, named after what."""
_DEMO_RECORDS: Final = 400
_LONGEST: Final = 6_000
_USUAL: Final = 5
"""Logins before something unusual."""
_FAILURE, _SUCCESS, _LOCK, _UNLOCK, _PRIVILEGE = 6, 5, 19, 12, 72
_MFA_DENIED, _MFA_FAILURE, _MFA_SUCCESS = 950, 1002, 1400


def kept() -> list[Path]:
    """The files of the kept corpus, by name."""
    return sorted(path for path in KEPT.iterdir() if path.suffix != ".md")


def seeds() -> list[bytes]:
    """All of it, the same in every run."""
    found = [*_shapes(), *_hostile(), *_stories(), *_demo()]
    direct = _direct(found)
    found += [path.read_bytes() for path in kept()]
    return list(dict.fromkeys(found + direct))


def _shapes() -> list[bytes]:
    rest, sparse, full = rest_event(), sparse_event(), full_event()
    lock = rest_event(event_type_id=API_LOCK_USER, actor_user_id=8)
    return [
        encode(rest),
        encode(sparse),
        encode(full),
        encode(lock),
        encode([rest, sparse, lock]),
        encode(page([rest, lock])),
        encode(page(None, error=True)),
        ndjson([sparse, full]),
        ndjson([sparse, sparse, lock], "\r\n", nested=False),
        encode(eventbridge(sparse)),
        encode(eventbridge({"event": sparse})),
        json.dumps(rest, indent=2).encode() + b"\n" + json.dumps([sparse], indent=1).encode(),
        encode(rest_event(risk_score=87, risk_reasons="one reason\ntwo reasons")),
        encode(rest_event(user_id=None, user_name="user7@example.com")),
        encode(rest_event(ipaddr="::ffff:203.0.113.9")),
        encode(rest_event(actor_user_id=None, actor_system="x" * 300, event_type_id=_PRIVILEGE)),
        encode(rest_event(client_id="abc", actor_user_id=None, event_type_id=_PRIVILEGE)),
        encode(rest_event(actor_system="Mapping", actor_user_id=None, event_type_id=_PRIVILEGE)),
        encode(full_event(**{name: "x" for name in full if name.endswith("_name")})),
        GS + bytes([SMALL]) + encode([rest, sparse]),
    ]


def _hostile() -> list[bytes]:
    whole = [record.render(1) or US + b"\x40" for record in BROKEN_RECORDS]
    members = [b"[" + member + b"," + encode(rest_event()) + b"]" for member, _ in BAD_MEMBERS]
    good = encode(rest_event())
    return [
        *whole,
        *members,
        b"5",
        b'null\n"x"',
        b"\xef\xbb\xbf" + good,
        good.decode().encode("utf-16"),
        good[:-20],
        b"[" + good + b"," + good[:50],
        good.replace(b"User Seven", b"\\ud800"),
        good.replace(b"User Seven", b"\xff"),
        good.replace(b"User Seven", b"\x00"),
        b'{"event":' * 3 + good + b"}" * 3,
        b"[[" + good + b"]]",
        good + b"," + good,
        good + good,
        b'{"a":' * 70 + b"1" + b"}" * 70,
        b"[" * 100_000,
        b"[" + b"{}," * 9 + b"{}]",
    ]


def _stories() -> list[bytes]:
    """Several records of one user: failures and locks, days apart, what is unusual."""
    minutes = [
        rest_event(
            id=number,
            event_type_id=kind,
            created_at=f"2026-11-23T13:{number:02d}:00Z",
            **({"actor_user_id": None, "actor_system": "OneLogin"} if kind == _LOCK else {}),
        )
        for number, kind in enumerate([*[_FAILURE] * 5, _LOCK, _FAILURE, _UNLOCK, _SUCCESS, _LOCK])
    ]
    days = [
        rest_event(id=100 + day, event_type_id=_SUCCESS, created_at=f"2026-11-{day:02d}T09:00:00Z")
        for day in (1, 5, 23, 9, 30)
    ]
    habits = _habits()
    return [
        RS.join(encode(event) for event in minutes),
        RS.join(encode(event) for event in habits),
        encode(habits),
        GS + b"\x04" + RS.join(encode(event) for event in days),
        GS + b"\x08" + RS.join([encode(minutes[0])] * 3),
        RS.join(US + bytes([bits]) + encode(minutes[5]) for bits in range(0, 64, 5)),
        encode(minutes) + RS + encode(days),
    ]


def _habits() -> list[Fields]:
    """Logins as ever, then one from elsewhere, denied factors, and a risky login with a use."""
    kinds = [_SUCCESS] * (_USUAL + 1) + [_MFA_FAILURE] + [_MFA_DENIED] * 3
    kinds += [_MFA_SUCCESS, _SUCCESS, _PRIVILEGE, _PRIVILEGE]
    return [
        sparse_event(
            uuid=f"habit-{number}",
            event_type_id=kind,
            event_timestamp=f"2026-11-23 14:{number:02d}:00 UTC",
            ipaddr="203.0.113.9" if number < _USUAL else "198.51.100.7",
            user_agent="one" if number < _USUAL else "other",
            risk_score=95 if number > _USUAL else None,
        )
        for number, kind in enumerate(kinds)
    ]


def _demo() -> list[bytes]:
    messages = islice(generate(None, seed=4), _DEMO_RECORDS)
    values = [message.value for message in messages if message.value]
    short = [value for value in values if len(value) <= _LONGEST]
    return [*short[::4], *(RS.join(short[start : start + 6]) for start in range(0, 120, 24))]


def _direct(inputs: list[bytes]) -> list[bytes]:
    """Classified records of ours, for the door of assess."""
    head = GS + bytes([DIRECT])
    values = [_classified(data) for data in inputs[:40] if GS not in data and RS not in data]
    found = [head + RS.join(each) for each in values if each]
    return [each for each in found if len(each) <= 3 * _LONGEST]


def _classified(data: bytes) -> list[bytes]:
    outputs: list[Output] = ingest(data).outputs
    return [output.value or b"" for output in outputs if output.topic == CLASSIFIED]
