"""What the checker tells of a document."""

from riskstream.contract.check import MAX_FAULTS, Fault, check_document, check_line, header_texts
from riskstream.events.topics import DEAD_LETTER


def test_a_fault_names_its_place_as_a_json_pointer() -> None:
    """Slashes and tildes in keys are escaped as RFC 6901 has it."""
    faults = check_document("dead_letter_headers", {"a/b~c": 1})
    assert Fault("dead_letter_headers", "/a~1b~0c", "1 is not of type 'string'") in faults


def test_faults_of_one_document_are_bounded() -> None:
    """A document that is wrong everywhere does not flood the report."""
    faults = check_document("raw_event", {"event_type_id": []})
    assert faults
    many = {f"header-{number}": number for number in range(1000)}
    faults = check_document("dead_letter_headers", many)
    assert len(faults) == MAX_FAULTS
    assert all(len(fault.message) <= 200 for fault in faults)


def test_a_line_is_checked_by_its_topic() -> None:
    """A line without the part that is checked is not valid."""
    assert check_line([])[0].message.startswith("not an output line")
    assert check_line({"topic": "example"})[0].place == "/topic"
    assert check_line({"topic": "iam.scored.users.v1"})[0].message == "it has no value"
    assert check_line({"topic": DEAD_LETTER, "value": {}})[0].message == "it has no headers"


def test_headers_are_checked_as_texts() -> None:
    """Bytes that are no UTF-8 are replaced, so that the check goes on."""
    assert header_texts([("a", b"x"), ("b", b"\xff")]) == {"a": "x", "b": "\ufffd"}
