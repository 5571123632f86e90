"""Rows decoded when asked for, a bounded number of them kept."""

from collections.abc import Sequence

import pytest
from typing_extensions import override

from riskstream.errors import KafkaFaultError
from riskstream.events.topics import FAILURES
from riskstream.pipeline.rows import TableRows
from riskstream.pipeline.store import Checkpoint, MemoryStore


class CountingStore(MemoryStore):
    """Remembers which rows were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    @override
    def get(self, topic: str, subject: str) -> bytes | None:
        self.asked.append(subject)
        return super().get(topic, subject)

    @override
    def get_many(self, topic: str, subjects: Sequence[str]) -> Sequence[bytes | None]:
        self.asked += subjects
        return super().get_many(topic, subjects)


def _table(most: int = 2) -> tuple[CountingStore, TableRows[str]]:
    """Ten rows, each decoded to ``subject=value``."""
    store = CountingStore()
    rows = [(FAILURES, f"u{number}", b"%d" % number) for number in range(10)]
    store.write(rows, Checkpoint(counts={FAILURES: 10}))
    return store, TableRows(FAILURES, store, lambda key, value: f"{key}={value.decode()}", most)


def test_a_row_is_decoded_once_while_it_is_kept() -> None:
    """Absence is kept, too."""
    store, rows = _table()
    assert [rows.get("u1"), rows.get("u1"), rows.get("x"), rows.get("x")] == [
        "u1=1",
        "u1=1",
        None,
        None,
    ]
    assert store.asked == ["u1", "x"]
    assert rows.get("x", "nothing") == "nothing"


def test_what_is_read_often_stays_and_the_rest_goes() -> None:
    """At most twice as many as the bound are kept."""
    store, rows = _table(most=2)
    for number in range(10):
        rows.get(f"u{number}")
        rows.get("u0")
        assert len(rows._young) + len(rows._old) <= 4
    assert store.asked.count("u0") == 1
    rows.get("u1")
    assert store.asked.count("u1") == 2


def test_what_was_written_is_what_is_read() -> None:
    """Also where an older row is kept still; forgetting goes back to the store."""
    _, rows = _table()
    rows.get("u1")
    rows.take({"u1": "new", "u2": None})
    assert (rows.get("u1"), rows.get("u2"), "u2" in rows) == ("new", None, False)
    rows.get("u3")
    rows.get("u4")
    assert rows.get("u1") == "new"
    rows.forget()
    assert (rows.get("u1"), rows.get("u2")) == ("u1=1", "u2=2")


def test_several_rows_are_read_at_once() -> None:
    """Only those that are not kept."""
    store, rows = _table(most=10)
    rows.get("u1")
    rows.prefetch(["u1", "u2", "x"])
    assert store.asked == ["u1", "u2", "x"]
    assert (rows.get("u2"), rows.get("x")) == ("u2=2", None)
    assert store.asked == ["u1", "u2", "x"]


def test_it_is_a_mapping() -> None:
    """For Faust's table and for tests."""
    _, rows = _table()
    assert len(rows) == 10
    assert set(rows) == {f"u{number}" for number in range(10)}
    assert rows["u9"] == "u9=9"
    assert 7 not in rows
    with pytest.raises(KeyError):
        rows["x"]


def test_a_row_of_somebody_else_names_itself() -> None:
    """It stops the worker: it is no fault of the event that asked for it."""
    store, _ = _table()

    def refuse(_key: str, _value: bytes) -> str:
        raise ValueError("no row")

    with pytest.raises(KafkaFaultError, match=r"u1 of iam\.state\.failures\.v1"):
        TableRows(FAILURES, store, refuse).get("u1")
