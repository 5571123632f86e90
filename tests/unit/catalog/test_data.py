"""The shipped rows: complete against the article and the id list, and consistent in themselves."""

import re
from collections import Counter
from itertools import pairwise

import pytest

from riskstream.catalog.loader import load_catalog
from riskstream.catalog.message import PLACEHOLDERS, fill, placeholders_in
from riskstream.events.vocabulary import (
    FAILURE_KINDS,
    Basis,
    Category,
    Change,
    EventOutcome,
    Kind,
    LockScope,
    Sensitivity,
    SubjectRule,
)
from tests.support.catalog import ARTICLE_LINES, EVENT_TYPE_IDS

CATALOG = load_catalog()
ENTRIES = CATALOG.entries
ARTICLE_SIZES = {"Apps": 32, "Users": 118, "OneLogin": 368, "Provisioning": 13}
IDS_WITHOUT_LINE = [35, 36, 37, 39, 57, 58, 223, 226, 1414, 9002]
LINES_WITHOUT_ID = ["Smart hook execution failed", "Smart hook execution was successful"]

USER_KINDS = {
    Kind.LOGIN_SUCCESS,
    Kind.LOGIN_FAILURE,
    Kind.MFA_CHALLENGE,
    Kind.MFA_SUCCESS,
    Kind.MFA_FAILURE,
    Kind.MFA_DENIED,
    Kind.APP_ACCESS,
    Kind.APP_ACCESS_FAILURE,
}


def test_article_copy_is_the_article() -> None:
    """The test's own copy has 531 lines, 521 of them distinct, in the four known sizes."""
    assert len(ARTICLE_LINES) == 531
    assert len({template for _, template in ARTICLE_LINES}) == 521
    assert Counter(category for category, _ in ARTICLE_LINES) == ARTICLE_SIZES


def test_every_article_line_is_there_under_its_category() -> None:
    """Every line of the article, as often as it is printed, stands under its own category."""
    expected = Counter((category.casefold(), template) for category, template in ARTICLE_LINES)
    rows = [entry for entry in ENTRIES if entry.basis is Basis.ARTICLE]

    assert Counter((row.category.value, row.template) for row in rows) == expected
    assert len({row.template for row in rows}) == 521


@pytest.mark.parametrize(("category", "size"), ARTICLE_SIZES.items())
def test_category_sizes(category: str, size: int) -> None:
    """Apps 32, Users 118, OneLogin 368, Provisioning 13 rows come from the article."""
    rows = CATALOG.by_category(Category(category.casefold()))

    assert len([row for row in rows if row.basis is Basis.ARTICLE]) == size


def test_every_public_id_is_there_with_its_name() -> None:
    """All 539 ids carry their own API name, and there are no others."""
    assert len(EVENT_TYPE_IDS) == 539
    assert {row.id: row.api_name for row in ENTRIES if row.id is not None} == EVENT_TYPE_IDS


def test_ids_without_an_article_line_are_marked() -> None:
    """Ten ids have no line: their category is inferred, their template empty."""
    inferred = [row for row in ENTRIES if row.basis is Basis.INFERRED]

    assert [row.id for row in inferred] == IDS_WITHOUT_LINE
    assert {row.template for row in inferred} == {""}
    assert all("no article line" in row.why for row in inferred)


def test_article_lines_without_an_id_come_last() -> None:
    """Two lines have no public id, and no constant is made up for them."""
    rows = [row for row in ENTRIES if row.id is None]

    assert [row.template for row in rows] == LINES_WITHOUT_ID
    assert ENTRIES[-2:] == tuple(rows)
    assert {row.api_name for row in rows} == {""}


def test_rows_are_sorted_and_unique() -> None:
    """Rows are in the order of their ids; no API name or title is there twice."""
    ids = [row.id for row in ENTRIES if row.id is not None]
    names = [row.api_name for row in ENTRIES if row.api_name]

    assert all(before < after for before, after in pairwise(ids))
    assert len(set(names)) == len(names) == 539
    assert len({row.title for row in ENTRIES}) == len(ENTRIES)


def test_repeated_article_lines_are_two_ids_each() -> None:
    """The article prints ten lines twice; each stands for two ids."""
    by_template: dict[str, list[int | None]] = {}
    for row in ENTRIES:
        by_template.setdefault(row.template, []).append(row.id)

    pairs = sorted(tuple(ids) for text, ids in by_template.items() if text and len(ids) > 1)
    assert pairs == [
        (41, 300),
        (42, 304),
        (43, 303),
        (44, 301),
        (45, 47),
        (46, 305),
        (510, 511),
        (517, 518),
        (9003, 9013),
        (9004, 9005),
    ]


def test_failures_are_of_some_failure_kind() -> None:
    """About 160 types fail at something, each has a failure kind, and nothing else has one."""
    failing = {row.id for row in ENTRIES if row.outcome is EventOutcome.FAILURE}

    assert failing == {row.id for row in ENTRIES if row.kind in FAILURE_KINDS}
    assert 150 <= len(failing) <= 170
    assert {FAILURE_KINDS[row.kind] for row in ENTRIES if row.kind in FAILURE_KINDS} == set(
        FAILURE_KINDS.values()
    )


@pytest.mark.parametrize(
    "word",
    ["failed", "failure", "denied", "could not", "not authorized", "unauthorized", "exception"],
)
def test_failing_words_mean_failure(word: str) -> None:
    """A line whose wording says that something failed is a failure."""
    rows = [row for row in ENTRIES if re.search(rf"\b{word}\b", row.template.casefold())]
    rows = [row for row in rows if "failed over" not in row.template]

    assert rows
    assert {row.outcome for row in rows} == {EventOutcome.FAILURE}


def test_success_and_failure_of_one_thing_agree() -> None:
    """Where ``X_SUCCESS`` and ``X_FAILED`` are both there, each has the outcome of its name."""
    by_name = {row.api_name: row for row in ENTRIES}
    pairs = [
        (by_name[name], by_name[f"{stem}_{fail}"])
        for name in by_name
        for fail in ("FAILED", "FAILURE")
        for stem in [name.removesuffix("_SUCCESS")]
        if stem != name and f"{stem}_{fail}" in by_name
    ]

    assert len(pairs) > 30
    for good, bad in pairs:
        assert good.outcome is EventOutcome.SUCCESS
        assert bad.outcome is EventOutcome.FAILURE
        assert good.category is bad.category
        assert good.subject is bad.subject


def test_authentication_and_app_access_are_the_users_behaviour() -> None:
    """Sign-ins, second factors and app access are told of the user, not of the actor."""
    assert {row.subject for row in ENTRIES if row.kind in USER_KINDS} == {SubjectRule.USER}


def test_administration_is_the_principals_behaviour() -> None:
    """What somebody does to others is told of whoever does it."""
    administrative = {
        Kind.USER_LIFECYCLE,
        Kind.ACCESS_CHANGE,
        Kind.PRIVILEGE_CHANGE,
        Kind.CREDENTIAL_CHANGE,
        Kind.FACTOR_CHANGE,
        Kind.SECURITY_SETTING_CHANGE,
        Kind.CONFIG_CHANGE,
        Kind.ASSUME_USER,
        Kind.SECRET_READ,
        Kind.UNLOCK,
        Kind.API_FAILURE,
        Kind.READ,
        Kind.MAPPING,
    }

    assert {row.subject for row in ENTRIES if row.kind in administrative} == {SubjectRule.PRINCIPAL}


def test_privileges_and_settings_are_sensitive() -> None:
    """Privileges, security settings, assumed users and shown secrets are sensitive, all of them."""
    kinds = {
        Kind.PRIVILEGE_CHANGE,
        Kind.SECURITY_SETTING_CHANGE,
        Kind.ASSUME_USER,
        Kind.SECRET_READ,
    }

    assert {row.sensitivity for row in ENTRIES if row.kind in kinds} == {Sensitivity.SENSITIVE}


def test_reads_syncs_and_sign_ins_are_not_sensitive() -> None:
    """Reads, syncs, mappings, notices, sign-ins and provisioning gain an attacker nothing more."""
    kinds = {Kind.READ, Kind.DIRECTORY, Kind.MAPPING, Kind.SYSTEM, Kind.PROVISIONING, *USER_KINDS}

    assert {row.sensitivity for row in ENTRIES if row.kind in kinds} == {Sensitivity.NONE}


def test_changes_stand_where_the_state_of_a_user_changes() -> None:
    """These types, and no others, change the state of the user acted upon."""
    changes = {row.id: (row.change, row.scope) for row in ENTRIES if row.change is not None}

    assert changes == {
        **dict.fromkeys((19, 531, 553), (Change.LOCK, LockScope.ACCOUNT)),
        35: (Change.LOCK, LockScope.APP),
        **dict.fromkeys((12, 554), (Change.UNLOCK, LockScope.ACCOUNT)),
        120: (Change.UNLOCK, LockScope.DIRECTORY),
        40: (Change.UNLOCK, LockScope.FACTOR),
        **dict.fromkeys((15, 17, 21, 530, 551), (Change.SUSPEND, LockScope.ACCOUNT)),
        **dict.fromkeys((53, 55), (Change.SUSPEND, LockScope.APP)),
        **dict.fromkeys((82, 84), (Change.SUSPEND, LockScope.DIRECTORY)),
        **dict.fromkeys((16, 32, 552), (Change.REINSTATE, LockScope.ACCOUNT)),
        54: (Change.REINSTATE, LockScope.APP),
        83: (Change.REINSTATE, LockScope.DIRECTORY),
        **dict.fromkeys((11, 211, 510, 511), (Change.RESET, LockScope.ACCOUNT)),
        24: (Change.RESET, LockScope.FACTOR),
    }


@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        (
            Kind.LOGIN_FAILURE,
            [6, 69, 77, 86, 91, 118, 123, 129, 141, 154, 901, 905, 906, 3010],
        ),
        (Kind.LOGIN_SUCCESS, [5, 68, 78, 122, 130, 140, 153, 900, 904, 1010, 3009]),
        (Kind.MFA_FAILURE, [105, 527, 538, 1002]),
        (Kind.MFA_DENIED, [950]),
        (Kind.MFA_CHALLENGE, [539, 1001]),
        (Kind.MFA_SUCCESS, [528, 537, 1400]),
        (Kind.APP_ACCESS, [8]),
        (Kind.APP_ACCESS_FAILURE, [9, 90, 138]),
        (Kind.LOCKOUT, [19, 35, 531, 553]),
        (Kind.UNLOCK, [12, 40, 120, 554]),
        (
            Kind.PROVISIONING_FAILURE,
            [25, 61, 62, 63, 64, 65, 79, 85, 133, 155, 250, 251, 253, 307],
        ),
        (Kind.ASSUME_USER, [3, 555]),
        (Kind.SECRET_READ, [87, 240, 535]),
    ],
)
def test_types_of_a_kind(kind: Kind, ids: list[int]) -> None:
    """The kinds that tables and signals hang on hold exactly the known ids."""
    assert sorted(row.id or 0 for row in ENTRIES if row.kind is kind) == sorted(ids)


@pytest.mark.parametrize(
    ("event_type_id", "subject"),
    [
        (19, SubjectRule.USER),
        (35, SubjectRule.USER),
        (531, SubjectRule.PRINCIPAL),
        (553, SubjectRule.PRINCIPAL),
        (64, SubjectRule.USER),
        (85, SubjectRule.PRINCIPAL),
        (17, SubjectRule.PRINCIPAL),
    ],
)
def test_whose_behaviour_it_is(event_type_id: int, subject: SubjectRule) -> None:
    """A lock by the system is told of the user, a lock by an API client of the client."""
    assert CATALOG.lookup(event_type_id).subject is subject


def test_busy_directory_and_refused_lock_are_no_lockouts() -> None:
    """DIRECTORY_LOCKED is a busy directory, and a lock that was refused locks nobody."""
    assert CATALOG.lookup(212).kind is Kind.DIRECTORY
    assert CATALOG.lookup(526).kind is Kind.API_FAILURE
    assert CATALOG.lookup(526).change is None


def test_every_message_fills_without_leftovers() -> None:
    """Every message reads without braces, filled in or not, and starts with a capital."""
    everything = {name: f"<{name}>" for name in PLACEHOLDERS}
    for row in ENTRIES:
        filled, empty = fill(row, everything), fill(row, {})
        assert not set("{}") & set(filled + empty)
        assert empty[0].isupper()
        assert all(f"<{name}>" in filled for name in placeholders_in(row.message))


def test_every_placeholder_is_used() -> None:
    """No placeholder is there for nothing."""
    used = {name for row in ENTRIES for name in placeholders_in(row.message)}

    assert used == set(PLACEHOLDERS)


def test_messages_keep_the_articles_words() -> None:
    """Outside its placeholders a message has the words of its template, in their order."""
    for row in ENTRIES:
        if row.basis is Basis.ARTICLE:
            template = row.template.replace("privilege_actionon_", "privilege_action on ")
            words = iter(re.findall(r"\w+", template.casefold()))
            literal = re.sub(r"\{\w+\}", " ", row.message).casefold()
            assert all(word in words for word in re.findall(r"\w+", literal)), row.id


def test_known_titles_and_messages() -> None:
    """The examples of the documents read as documented."""
    failed = CATALOG.lookup(6)

    assert failed.title == "User failed OneLogin login"
    assert failed.message == "{user} failed authentication"
    assert CATALOG.lookup(3).message == "{actor} assumed {user}"
    assert CATALOG.lookup(4).message == "Assigned {role} to {user}"
