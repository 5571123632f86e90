"""Counts across the tenant: exact but for the sketch, whatever the order, and a fair sample."""

from itertools import count
from random import Random
from zlib import crc32

from hypothesis import given, settings
from hypothesis import strategies as st

from riskstream.risk.features import Feature, key_of
from riskstream.risk.habits import entry, pane_of, provisional
from riskstream.risk.profile import PROFILES_TTL_MS, Profile
from riskstream.risk.scorer import colleagues_in
from riskstream.risk.tenant import EPOCH_MS, TenantCounts, TenantView
from tests.support.risk import DAY, NOON, profile_of

SHAPES = count()
NETWORKS = [key_of(Feature.NETWORK, number) for number in range(6)]


def _user(*keys: int, at: int = NOON, first: int = 0, doubted: tuple[int, ...] = ()) -> Profile:
    usual = {key: entry(64, 8000, first) for key in keys}
    usual |= {key: provisional(first) for key in doubted}
    return profile_of(as_of_ms=at, usual=usual, shape=next(SHAPES))


def _view(rows: list[Profile], watermark_ms: int = NOON) -> TenantView:
    return TenantView(TenantCounts(rows, watermark_ms), watermark_ms)


def test_a_value_counts_once_for_every_user_to_whom_it_is_usual() -> None:
    """Not for those to whom it is provisional, nor for those who never logged in."""
    one, other, third = NETWORKS[:3]
    rows = [_user(one, other), _user(one, doubted=(third,)), profile_of(logins=0)]
    view = _view(rows)
    assert view.total == 2
    assert [view.users(key) for key in (one, other, third)] == [2, 1, 0]


@st.composite
def _histories(draw: st.DrawFn) -> list[tuple[int, Profile]]:
    """Which user's row is written when, with what in it."""
    now, written = NOON, []
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.sampled_from([0, DAY, 20 * DAY, 50 * DAY, 100 * DAY]))
        keys = draw(st.sets(st.sampled_from(NETWORKS), max_size=4))
        doubted = draw(st.sets(st.sampled_from(NETWORKS), max_size=2)) - keys
        first = draw(st.integers(pane_of(now) - 9, pane_of(now)))
        row = _user(*keys, at=now, first=first, doubted=tuple(doubted))
        written.append((draw(st.integers(0, 3)), row))
    return written


@settings(max_examples=100)
@given(_histories(), st.data())
def test_counting_as_rows_change_is_counting_the_rows(
    history: list[tuple[int, Profile]], data: st.DataObject
) -> None:
    """However the changes are cut, and whether expired rows are removed or not."""
    counts, rows, watermark = TenantCounts(), dict[int, Profile](), NOON
    view = TenantView(counts, watermark)
    for user, row in history:
        before = rows.get(user)
        if before is not None and before.as_of_ms + PROFILES_TTL_MS < watermark:
            before = None
            if data.draw(st.booleans()):
                del rows[user]
        view.replaced(before, row)
        rows[user] = row
        watermark = view.watermark_ms = max(watermark, row.as_of_ms)
        if data.draw(st.booleans()):
            counts.apply(view.cells, watermark)
            view = TenantView(counts, watermark)
    again = _view(list(rows.values()), watermark)
    assert view.total == again.total
    for key in NETWORKS:
        assert view.users(key) == again.users(key)
        assert view.takers(key, watermark) == again.takers(key, watermark)


def test_only_the_current_epoch_and_the_one_before_it_count() -> None:
    """A user who has not been seen for 90 days counts in neither."""
    view = _view([_user(NETWORKS[0])])
    view.watermark_ms = NOON + EPOCH_MS
    assert view.users(NETWORKS[0]) == 1
    view.watermark_ms = NOON + 2 * EPOCH_MS
    assert (view.users(NETWORKS[0]), view.total) == (0, 0)


def test_what_colleagues_take_up_is_counted_for_a_day() -> None:
    """Provisional or not."""
    now, (one, other, *_) = pane_of(NOON), NETWORKS
    rows = [_user(one, first=now - ago) for ago in (0, 1, 3, 4, 5)]
    view = _view([*rows, _user(doubted=(one,), first=now), _user(other, first=now)])
    assert view.takers(one, NOON) == 4
    assert view.takers(one, NOON + DAY) == 0
    assert view.takers(other, NOON) == 1


def test_old_counts_are_let_go() -> None:
    """Two epochs and eight panes are kept at most."""
    counts = TenantCounts()
    for day in range(0, 400, 5):
        view = TenantView(counts, NOON + day * DAY)
        view.replaced(None, _user(NETWORKS[0], at=NOON + day * DAY, first=pane_of(NOON) + 4 * day))
        counts.apply(view.cells, NOON + day * DAY)
        assert len(counts.slots) <= 2 + 8


def test_the_sketch_is_never_too_low_and_seldom_high() -> None:
    """With 8,000 users of twelve values each a value has three users too many on average."""
    random = Random(7)
    rows = [
        _user(*(key_of(Feature.ADDRESS, random.getrandbits(56)) for _ in range(12)))
        for _ in range(8_000)
    ]
    view = _view(rows)
    over = [view.users(key_of(Feature.ADDRESS, random.getrandbits(56))) for _ in range(2000)]
    assert min(over) >= 0
    assert sum(over) / len(over) < 3
    assert max(over) / 8_000 < 0.002
    assert all(view.users(key) >= 1 for row in rows[:500] for key in row.usual)


def test_a_partition_is_a_fair_sample_of_the_tenant() -> None:
    """Shares in a partition lie within three standard errors, as for any random sample."""
    random, users, partitions = Random(11), 8_000, 4
    shares = dict(zip(NETWORKS, (0.5, 0.2, 0.05, 0.01, 0.002, 0.9), strict=True))
    views = [TenantView(TenantCounts(), NOON) for _ in range(partitions)]
    for user in range(users):
        keys = [key for key, share in shares.items() if random.random() < share]
        place = crc32(f"1234:{user}".encode()) % partitions
        views[place].replaced(None, _user(*keys))
    outside = 0
    for key, share in shares.items():
        for view in views:
            error = (share * (1 - share) / view.total) ** 0.5
            outside += abs(view.users(key) / view.total - share) > 3 * error
    assert outside <= 1


def test_colleagues_are_those_expected_in_one_partition() -> None:
    """Three at least, since one or two are no movement."""
    assert [colleagues_in(20, each) for each in (1, 4, 8, 64)] == [20, 5, 3, 3]
    assert colleagues_in(2, 4) == 2
