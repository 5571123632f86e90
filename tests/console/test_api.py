"""The API against its own OpenAPI document, by schemathesis: no fault, no undocumented answer."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.testclient import TestClient

from riskstream.console.web.app import make_app
from tests.support.console import (
    NOW_MS,
    alert_record,
    filled_store,
    make_site,
    scored,
    standing,
    standing_record,
)

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A store with a hundred events, its API, and whatever is sent taken and forgotten."""
    directory = tmp_path_factory.mktemp("api")
    events = [scored(n, NOW_MS - n * 60_000, score=n) for n in range(100)]
    writer = filled_store(directory, events)
    row = standing("1234:7", NOW_MS - 60_000, 70, 40)
    writer.take([standing_record(row), alert_record(1, row)], {}, {("a", 0): 1})
    writer.close()
    site = make_site(directory)

    async def send(*_: object) -> None:
        return

    site.send = send
    app = make_app(site)
    browser = TestClient(app, base_url="http://127.0.0.1")
    page = browser.get("/events").text
    token = page.partition('csrf-token" content="')[2].partition('"')[0]
    cookie = browser.cookies["riskstream_token"]
    schema = schemathesis.openapi.from_asgi(
        "/api/v1/openapi.json", app, headers={"Host": "127.0.0.1"}
    )
    schema.headers = {"X-CSRF-Token": token, "Cookie": f"riskstream_token={cookie}"}
    return schema


OPERATIONS = (
    "GET /api/v1/events",
    "GET /api/v1/events/{event_id}",
    "POST /api/v1/events/{event_id}/feedback",
    "GET /api/v1/names",
    "GET /api/v1/alerts",
    "GET /api/v1/alerts/{alert_id}",
    "GET /api/v1/standings",
    "GET /api/v1/standings/{subject}",
)


def test_every_operation_is_tried(api: Any) -> None:
    """A new one stands in the list above."""
    assert {each.ok().label for each in api.get_all_operations()} == set(OPERATIONS)


@pytest.mark.parametrize("label", OPERATIONS)
def test_the_api_does_what_its_document_says(api: Any, label: str) -> None:
    """Whatever is asked: a documented status, the documented schema, never 500."""
    (operation,) = (each.ok() for each in api.get_all_operations() if each.ok().label == label)
    headers = {**api.headers, "Host": "127.0.0.1"}

    @settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        # That a time is one, and a range not empty, no schema can say.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    ask()
