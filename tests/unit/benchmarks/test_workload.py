"""The records that the contenders get."""

from collections import defaultdict

import orjson

from benchmarks.workload import ARRAY_EVENTS, make_workload


def test_the_same_seed_gives_the_same_bytes() -> None:
    """Every contender of every run with one seed gets the same records; another seed, others."""
    first = make_workload(500, seed=3, users=50, warmup_events=100)

    assert first == make_workload(500, seed=3, users=50, warmup_events=100)
    assert first != make_workload(500, seed=4, users=50, warmup_events=100)


def test_it_counts_its_events() -> None:
    """The numbers are those of the events in the records, over by less than one array."""
    workload = make_workload(500, seed=3, users=50, warmup_events=100)

    for records, told, wanted in (
        (workload.records, workload.events, 500),
        (workload.warmup, workload.warmup_events, 100),
    ):
        found = sum(
            len(value) if isinstance(value := orjson.loads(record.value), list) else 1
            for record in records
        )
        assert found == told
        assert wanted <= told < wanted + ARRAY_EVENTS


def test_no_event_comes_twice() -> None:
    """Ids are unique over the warm-up and the measured records, so that outputs can be counted."""
    workload = make_workload(500, seed=3, users=50, warmup_events=100)

    ids = [
        event.get("id") or event["uuid"]
        for record in (*workload.warmup, *workload.records)
        for value in (orjson.loads(record.value),)
        for event in (value if isinstance(value, list) else [value])
    ]
    assert len(ids) == len(set(ids))


def test_a_users_own_events_come_by_one_key() -> None:
    """What one user does to the own account has one key and so one partition."""
    workload = make_workload(2_000, seed=3, users=50, warmup_events=0)

    keys: dict[int, set[bytes]] = defaultdict(set)
    for record in workload.records:
        value = orjson.loads(record.value)
        for event in value if isinstance(value, list) else [value]:
            user = event.get("user_id")
            if user is not None and user == event.get("actor_user_id"):
                keys[user].add(record.key)
    assert len(keys) > 20
    assert {len(found) for found in keys.values()} == {1}
