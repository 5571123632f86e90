"""What ``topics check`` says of a topic."""

from riskstream.events.topics import ALL_TOPICS, CLASSIFIED, FAILURES, RAW, TopicSpec
from riskstream.streaming.admin import TopicState, Verdict, judge

SPECS = {spec.name: spec for spec in ALL_TOPICS}


def as_created(spec: TopicSpec, partitions: int = 4, **changed: str) -> TopicState:
    """The topic as ``topics create`` makes it, with some settings changed."""
    config = {**spec.config, **{key.replace("_", "."): value for key, value in changed.items()}}
    return TopicState(spec.name, partitions, 1, config)


def test_topics_as_created_are_fit() -> None:
    """Every one of them."""
    classified = as_created(SPECS[CLASSIFIED])
    verdicts = [judge(spec, as_created(spec), classified) for spec in ALL_TOPICS]
    assert {verdict.verdict for verdict in verdicts} == {Verdict.OK}
    assert not any(verdict.failed for verdict in verdicts)


def test_a_missing_topic_fails() -> None:
    """And the cure is the command that makes it."""
    verdict = judge(SPECS[RAW], None, None)
    assert (verdict.verdict, verdict.cure) == (Verdict.MISSING, "riskstream topics create")
    assert verdict.failed


def test_only_the_tables_must_match_the_classified_partitions() -> None:
    """A raw topic of any width is fit; a table of another width is not."""
    classified = as_created(SPECS[CLASSIFIED], 8)
    assert judge(SPECS[RAW], as_created(SPECS[RAW], 3), classified).verdict is Verdict.OK
    verdict = judge(SPECS[FAILURES], as_created(SPECS[FAILURES], 3), classified)
    assert verdict.verdict is Verdict.PARTITIONS
    assert FAILURES in verdict.cure
    assert "--partitions 8" in verdict.cure


def test_settings_that_decide_correctness_fail() -> None:
    """A table that is deleted instead of compacted loses its rows."""
    verdict = judge(SPECS[FAILURES], as_created(SPECS[FAILURES], cleanup_policy="delete"), None)
    assert verdict.verdict is Verdict.CONFIG
    assert verdict.detail == "cleanup.policy is delete, not compact"
    assert "--add-config cleanup.policy=compact" in verdict.cure


def test_retention_is_the_operators_choice_but_for_the_classified_topic() -> None:
    """Outputs may be kept as long as one likes; unprocessed events must not be deleted."""
    scored = SPECS["iam.scored.users.v1"]
    other = judge(scored, as_created(scored, retention_ms="1000"), None)
    assert other.verdict is Verdict.OK
    assert "your choice" in other.detail
    spec = SPECS[CLASSIFIED]
    assert judge(spec, as_created(spec, retention_ms="1000"), None).verdict is Verdict.CONFIG


def test_settings_that_the_broker_does_not_tell_are_not_held_against_it() -> None:
    """Some brokers describe no settings."""
    assert judge(SPECS[RAW], TopicState(RAW, 4, 1), None).verdict is Verdict.OK
