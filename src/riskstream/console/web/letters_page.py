"""Dead letters: what could not be processed, why, its bytes, and the way back."""

from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from riskstream.console.letters import replay_letter
from riskstream.console.store.records import Letter
from riskstream.console.web.access import Role
from riskstream.console.web.api import body_of
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import site_of
from riskstream.console.web.view import ViewError
from riskstream.events.outcome import Reason

__all__ = ["letter_page", "letters_page", "replay"]

SHOWN: Final = 50
REASONS: Final = frozenset(reason.value for reason in Reason)
MOST_BYTES: Final = 65_536
"""Of a letter that are shown."""


async def letters_page(request: Request) -> Response:
    """``/dead-letters``."""
    site = site_of(request)
    reason = request.query_params.get("reason", "")
    if reason and reason not in REASONS:
        raise ViewError(f"There is no reason {reason}.")
    before = _place(request.query_params.get("before", ""))
    letters = await site.ask(site.store.letters, reason, SHOWN + 1, before)
    values = {
        "letters": letters[:SHOWN],
        "reasons": await site.ask(site.store.letter_reasons),
        "reason": reason,
        "older": _named(letters[SHOWN - 1]) if len(letters) > SHOWN else "",
    }
    return site.render(request, "letters.html", values)


async def letter_page(request: Request) -> Response:
    """``/dead-letters/{partition}/{offset}``."""
    site = site_of(request)
    letter = await _letter(request)
    site.audit.note(person_of(request), "looked at dead letter", _title(letter))
    values = {"letter": letter, "shown": letter.value[:MOST_BYTES], "title": _title(letter)}
    return site.render(request, "letter.html", values)


async def replay(request: Request) -> Response:
    """``POST /api/v1/dead-letters/{partition}/{offset}/replay``."""
    site, person = site_of(request), person_of(request)
    if not person.may(Role.ADMIN):
        raise HTTPException(403, "To send a dead letter back needs the role admin.")
    told: dict[str, Any] = await body_of(request)
    if set(told) - {"again"} or not isinstance(told.get("again", False), bool):
        raise HTTPException(422, "There is again, true or false, and nothing else.")
    letter = await _letter(request)
    sent = await replay_letter(site.settings, letter, again=told.get("again", False))
    site.audit.note(person, "replayed dead letter", _title(letter), sent=sent)
    return JSONResponse({"sent": sent})


async def _letter(request: Request) -> Letter:
    site = site_of(request)
    partition, offset = request.path_params["partition"], request.path_params["offset"]
    if max(partition, offset) >= 2**63:
        raise HTTPException(404, "There is no such dead letter.")
    letter = await site.ask(site.store.letter, partition, offset)
    if letter is None:
        raise HTTPException(404, "There is no such dead letter, or it is older than 30 days.")
    return letter


def _title(letter: Letter) -> str:
    return f"{letter.partition}:{letter.offset}"


def _named(letter: Letter) -> str:
    return f"{letter.written_ms}.{letter.partition}.{letter.offset}"


def _place(text: str) -> tuple[int, int, int] | None:
    if not text:
        return None
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() and len(part) < 19 for part in parts):  # noqa: PLR2004
        raise ViewError("before is the place of a dead letter.")
    written, partition, offset = (int(part) for part in parts)
    return written, partition, offset
