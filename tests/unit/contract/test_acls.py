"""The rights that each part needs: complete, minimal in form, and as documented."""

import json
import shlex
from pathlib import Path

import pytest

from riskstream.contract.acls import Acl, Operation, Resource, commands, roles
from riskstream.events.topics import ALL_TOPICS, SCORED
from tests.support.cli import invoke

ROOT = Path(__file__).resolve().parents[3]
ROLES = roles()
each_role = pytest.mark.parametrize("name", ROLES)


def _covers(acl: Acl, topic: str) -> bool:
    matches = topic.startswith(acl.name) if acl.prefixed else topic == acl.name
    return acl.resource is Resource.TOPIC and matches


@pytest.mark.parametrize("topic", [spec.name for spec in ALL_TOPICS])
def test_every_topic_can_be_made_written_and_read_by_somebody(topic: str) -> None:
    """A topic that is added to the contract must be added to a role."""
    given = {acl.operation for role in ROLES.values() for acl in role.acls if _covers(acl, topic)}
    assert {Operation.CREATE, Operation.WRITE, Operation.READ} <= given


@each_role
def test_no_right_is_given_twice(name: str) -> None:
    """Nor beside a prefix that gives it already."""
    acls = ROLES[name].acls
    for acl in acls:
        others = [
            other
            for other in acls
            if other.operation is acl.operation
            and other.resource is acl.resource
            and (other.name == acl.name or (other.prefixed and acl.name.startswith(other.name)))
        ]
        assert others == [acl]


def test_the_prefix_of_scored_topics_takes_them_and_no_other() -> None:
    """Whoever may read what is scored must not see raw events or rows."""
    (acl,) = [acl for acl in ROLES["scored-consumer"].acls if acl.resource is Resource.TOPIC]
    taken = {spec.name for spec in ALL_TOPICS if _covers(acl, spec.name)}
    assert taken == set(SCORED.values())


def test_groups_and_ids_follow_the_application() -> None:
    """Two applications on one cluster do not share a right on groups or transactional ids."""
    names = {
        acl.name
        for role in roles("other", "mine").values()
        for acl in role.acls
        if acl.resource is not Resource.TOPIC
    }
    hops = {"other-ingest", "other-ingest-", "other-assess", "other-assess-"}
    assert names == {*hops, "other-source-", "mine", "other-notify"}


@each_role
def test_commands_give_exactly_the_rights(name: str) -> None:
    """Taken apart as a shell does, they hold each operation on each resource once."""
    given = set()
    options = {"--topic": Resource.TOPIC, "--group": Resource.GROUP}
    options["--transactional-id"] = Resource.TRANSACTIONAL_ID
    for line in commands(ROLES[name], "User:it's me", "kafka:9093"):
        words = shlex.split(line)
        assert words[:4] == ["kafka-acls.sh", "--bootstrap-server", "kafka:9093", "--add"]
        pairs = list(zip(words[4::2], words[5::2], strict=True))
        assert ("--allow-principal", "User:it's me") in pairs
        ((resource, named),) = ((options[key], value) for key, value in pairs if key in options)
        prefixed = ("--resource-pattern-type", "prefixed") in pairs
        operations = [value for key, value in pairs if key == "--operation"]
        given |= {(resource, named, operation, prefixed) for operation in operations}
    wanted = {(acl.resource, acl.name, acl.operation, acl.prefixed) for acl in ROLES[name].acls}
    assert given == wanted


def test_the_document_lists_them() -> None:
    """docs/security.md has a row for each right of each role, and no other."""
    text = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    table = text.partition("| role | operation | on |\n| --- | --- | --- |\n")[2].partition("\n\n")[
        0
    ]
    documented = [
        tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|"))
        for line in table.splitlines()
    ]
    wanted = [
        (role.name, acl.operation, f"{acl.resource} {acl.name}{'*' if acl.prefixed else ''}")
        for role in ROLES.values()
        for acl in role.acls
    ]
    assert documented == [tuple(map(str, row)) for row in wanted]


def test_the_command_prints_the_roles_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSON for programs, with the principal and the application's own names."""
    monkeypatch.setenv("RISKSTREAM_WORKER__APP_ID", "iam")
    told = invoke("topics", "acls", "--role", "worker-ingest", "--format", "json")
    (role,) = json.loads(told.stdout)
    assert (role["name"], role["principal"]) == ("worker-ingest", "User:iam-worker-ingest")
    assert {"resource": "group", "name": "iam-ingest", "operation": "Read"}.items() <= role["acls"][
        3
    ].items()


def test_the_command_shows_a_table_and_lines_for_a_shell() -> None:
    """Every right has its reason in the table; the lines name the user that was asked for."""
    table = invoke("topics", "acls", "--role", "reader").stdout
    assert all(acl.name in table and acl.why in table for acl in ROLES["reader"].acls)
    lines = invoke(
        *("topics", "acls", "--role", "raw-producer", "--principal", "User:c"),
        *("--bootstrap-servers", "kafka:9093", "--format", "commands"),
    ).stdout.splitlines()
    assert lines == commands(ROLES["raw-producer"], "User:c", "kafka:9093")


def test_an_unknown_role_is_refused_with_those_there_are() -> None:
    """Exit code 2."""
    told = invoke("topics", "acls", "--role", "boss")
    assert told.exit_code == 2
    assert "worker-ingest" in told.stderr
