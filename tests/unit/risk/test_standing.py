"""Standings: what causes come to, how they fade, and when a rise is told."""

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from riskstream.risk.levels import HIGH_FROM, Level
from riskstream.risk.loader import load_policy
from riskstream.risk.policy import Family, StandingRule
from riskstream.risk.standing import (
    HALF_LIVES,
    STANDINGS_TTL_MS,
    Cause,
    Judging,
    Rising,
    Standing,
    StandingEvent,
    fold_standing,
    holds_until,
    measure,
)
from riskstream.risk.standing_rows import (
    decode_standing,
    encode_standing,
    pack_standing,
    unpack_standing,
)
from riskstream.windows.packed import packed_as_of
from tests.support.risk import DAY, HOUR, MINUTE, NOON

RULE = StandingRule(half_life_hours=24, from_score=26, halfway=300, rearm_points=10)
BY = Judging.of("p", RULE)
FAMILIES = [family.value for family in Family]


class Subject:
    """Folds one event after another."""

    def __init__(self, judging: Judging = BY) -> None:
        self.judging = judging
        self.standing: Standing | None = None
        self.risings: list[Rising] = []
        self.offset = 0

    def scores(self, score: int, after: int = 0, family: str = "place") -> Standing | None:
        """An event so long after noon; what ``fold_standing`` gives for it."""
        self.offset += 1
        cause = Cause(family, score, NOON + after, f"1:{self.offset}", 5, "new_network", "why")
        event = StandingEvent("1:7", self.offset, cause)
        after_it, rising = fold_standing(self.standing, event, self.judging)
        if after_it is not None:
            self.standing = after_it
        if rising is not None:
            self.risings.append(rising)
        return after_it

    def at(self, after: int = 0) -> int:
        """The score so long after noon."""
        return measure(self.standing, NOON + after).score


def test_the_shipped_policy_lets_every_high_event_and_no_low_one_count() -> None:
    """Numbers of the shipped file."""
    rule = load_policy().standing
    assert rule == RULE


def test_one_cause_alone_stands_as_its_event_scored() -> None:
    """And fades by half every half-life."""
    subject = Subject()
    subject.scores(80)
    assert [subject.at(days * DAY) for days in range(4)] == [80, 40, 20, 10]


def test_causes_of_other_families_lead_towards_100_and_never_beyond() -> None:
    """By the documented sum: (300 * 40 + 100 * 40) / (300 + 40)."""
    subject = Subject()
    subject.scores(40, family="place")
    subject.scores(40, family="device")
    assert subject.at() == 47
    for family in FAMILIES:
        subject.scores(100, family=family)
    assert subject.at() == 100


def test_events_of_one_family_renew_and_never_add_up() -> None:
    """A thousand doubtful failures are as bad as the worst of them."""
    subject = Subject()
    for place in range(1000):
        subject.scores(45, place * MINUTE, "failures")
    assert subject.standing is not None
    assert len(subject.standing.causes) == 1
    assert measure(subject.standing, NOON + 999 * MINUTE).score == 45
    assert subject.risings == []


def test_a_cause_that_says_nothing_new_writes_no_row() -> None:
    """Less than a point more: the row is the same object. Later the same event is worth writing."""
    subject = Subject()
    first = subject.scores(40)
    assert subject.scores(40, 10 * MINUTE) is first
    assert subject.scores(30, HOUR) is first
    assert subject.scores(40, 2 * HOUR) is not first


def test_a_rise_to_high_is_told_once_until_it_has_fallen_ten_points_below() -> None:
    """High from 51 on; told again once it has been at 41 or below."""
    subject = Subject()
    subject.scores(60)
    assert [rising.before.level for rising in subject.risings] == [Level.NO]
    subject.scores(60, HOUR)
    subject.scores(60, 2 * HOUR)
    subject.scores(60, 10 * HOUR)  # it was below 51, and not as low as 41
    assert subject.standing is not None
    assert (len(subject.risings), subject.standing.repeats) == (1, 3)
    assert subject.at(20 * HOUR) > HIGH_FROM - 10
    assert subject.at(24 * HOUR) <= HIGH_FROM - 10
    subject.scores(60, 24 * HOUR)
    assert len(subject.risings) == 2
    second = subject.risings[1]
    assert (second.repeats, second.standing.repeats, second.standing.armed) == (3, 0, False)


def test_rearming_needs_no_event_at_the_low_point() -> None:
    """A score only falls between events, so the lowest is seen just before the next one."""
    subject = Subject()
    subject.scores(100)
    subject.scores(30, 40 * HOUR, "device")  # 31 before it: armed again
    assert subject.standing is not None
    assert subject.standing.armed
    subject.scores(90, 41 * HOUR)
    assert len(subject.risings) == 2


def test_several_doubtful_events_of_different_kinds_raise_a_subject() -> None:
    """None of them High by itself; the alert names all of them."""
    subject = Subject()
    for family in ("place", "device", "session", "actions"):
        subject.scores(45, family=family)
    (rising,) = subject.risings
    assert rising.before.level is Level.MEDIUM
    assert measure(rising.standing, NOON).level is Level.HIGH


def test_an_alert_id_follows_from_subject_and_event() -> None:
    """So a reader can drop what comes twice."""
    one, other = Subject(), Subject()
    one.scores(90)
    other.scores(90)
    other.scores(90, 3 * DAY)
    tolds = [rising.standing.told for each in (one, other) for rising in each.risings]
    ids = [told.alert_id for told in tolds if told is not None]
    assert ids[0] == ids[1] != ids[2]
    assert all(len(each) == 32 for each in ids)


def test_an_event_eight_half_lives_late_is_not_folded() -> None:
    """And one a little less so is, as faded as it is."""
    subject = Subject()
    subject.scores(40)
    before = subject.standing
    assert subject.scores(100, -HALF_LIVES * DAY, "device") is None
    assert subject.standing is before
    subject.scores(100, -DAY, "device")
    assert subject.at() == 56  # (300 * 50 + 100 * 40) / 340
    assert subject.standing is not None
    assert subject.standing.as_of_ms == NOON


def test_the_order_of_events_does_not_decide_what_a_standing_comes_to() -> None:
    """But for differences below a point."""
    told = [(60, 0, "place"), (70, -5 * HOUR, "place"), (40, HOUR, "device"), (50, -DAY, "lock")]
    scores = set()
    for order in permutations(told):
        subject = Subject()
        for score, after, family in order:
            subject.scores(score, after, family)
        scores.add(subject.at(HOUR))
    assert scores == {66}


def test_causes_that_are_gone_leave_the_row() -> None:
    """Below half a point."""
    subject = Subject()
    subject.scores(30, family="place")
    subject.scores(30, 7 * DAY, "device")
    assert subject.standing is not None
    assert [each.family for each in subject.standing.causes] == ["device"]


def test_a_row_outlives_its_causes() -> None:
    """Whatever half-life the policy may state."""
    longest = StandingRule.model_json_schema()["properties"]["half_life_hours"]["maximum"]
    assert longest * HOUR * HALF_LIVES <= STANDINGS_TTL_MS


def test_another_policy_judges_what_is_kept_by_its_own_numbers() -> None:
    """From the next event on; the row says by which policy it was judged."""
    subject = Subject()
    subject.scores(80)
    subject.judging = Judging.of("q", RULE.model_copy(update={"half_life_hours": 12}))
    subject.scores(30, DAY, "device")
    assert subject.standing is not None
    assert subject.standing.decay.policy == "q"
    assert measure(subject.standing, NOON + DAY).accumulated == pytest.approx(50)


_events = st.lists(
    st.tuples(st.integers(26, 100), st.integers(-10 * DAY, 10 * DAY), st.sampled_from(FAMILIES)),
    min_size=1,
    max_size=30,
)


@given(_events)
def test_a_standing_is_bounded_and_comes_back_from_both_forms(
    events: list[tuple[int, int, str]],
) -> None:
    """0 to 100, at least its peak, one cause per family; JSON and packed give the same row."""
    subject = Subject()
    for score, after, family in events:
        subject.scores(score, after, family)
    row = subject.standing
    assert row is not None
    now = measure(row, row.as_of_ms)
    assert 0 <= round(now.peak) <= now.score <= 100
    assert len({each.family for each in row.causes}) == len(row.causes) <= len(FAMILIES)
    assert decode_standing(encode_standing(row)) == row
    assert unpack_standing(row.subject, pack_standing(row)) == row
    assert packed_as_of(pack_standing(row)) == row.as_of_ms


@given(_events)
def test_a_level_stands_until_the_time_that_is_told(events: list[tuple[int, int, str]]) -> None:
    """To the millisecond, but for the machine's rounding."""
    subject = Subject()
    for score, after, family in events:
        subject.scores(score, after, family)
    row = subject.standing
    assert row is not None
    until, level = holds_until(row), measure(row, row.as_of_ms).level
    if until is None:
        assert level is Level.NO
        return
    assert measure(row, max(until - 1, row.as_of_ms)).level is level
    assert measure(row, until + 2).level is not level


def test_a_row_that_riskstream_did_not_write_is_refused() -> None:
    """Also one whose numbers would divide by nothing."""
    subject = Subject()
    subject.scores(60)
    assert subject.standing is not None
    broken = encode_standing(subject.standing).replace(
        b'"half_life_hours":24', b'"half_life_hours":0'
    )
    for value in (b"{}", b"", b"[1]", broken):
        with pytest.raises(ValueError, match=r"."):
            decode_standing(value)
    for value in (b"", b"{}", pack_standing(subject.standing)[:9]):
        with pytest.raises(ValueError, match=r"."):
            unpack_standing("1:7", value)


def test_a_packed_row_is_small() -> None:
    """Memory per subject that ever scored Medium: well under half a kilobyte for three causes."""
    subject = Subject()
    for family in ("place", "device", "failures"):
        subject.scores(60, family=family)
    assert subject.standing is not None
    long = tuple(replace(each, detail="x" * 60) for each in subject.standing.causes)
    assert len(pack_standing(replace(subject.standing, causes=long))) < 500
