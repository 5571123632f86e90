"""The Event page: one event in full, why it scored so, and what stands around it."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from riskstream.console.portrait import ORDINARY, Portrait, device_of, portrait_of
from riskstream.console.store.facets import time_of
from riskstream.console.store.filters import Filters
from riskstream.console.store.records import VERDICTS
from riskstream.console.store.store import Store, StoredEvent
from riskstream.console.web.guard import person_of
from riskstream.console.web.site import Site, site_of
from riskstream.events.keys import client_key, name_key, system_key, user_key
from riskstream.views.ocsf import ocsf
from riskstream.views.scored import read_scored

__all__ = ["event_page", "explained", "name_of_key", "user_of"]

RELATED: Final = 8
BEFORE: Final = 300
"""Ordinary events before this one, of the same user, that say what is usual."""
SCALE: Final = 560
"""Width of a score of 100."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one signal did to the score."""

    name: str
    detail: str
    points: int
    x: float
    width: float
    after: int


@dataclass(frozen=True, slots=True)
class Usual:
    """Something of this event beside what was usual before."""

    what: str
    value: str
    said: str
    new: bool


async def event_page(request: Request) -> Response:
    """``/events/{event_id}``."""
    site = site_of(request)
    event_id = request.path_params["event_id"]
    found = await site.ask(_collect, site, event_id)
    if found is None:
        raise HTTPException(
            404, f"No event has the id {event_id}. It may be older than what is kept."
        )
    site.audit.note(person_of(request), "looked at event", event_id)
    return site.render(request, "event.html", found)


def _collect(site: Site, event_id: str) -> dict[str, Any] | None:
    store = site.store
    stored = store.event(event_id)
    if stored is None:
        return None
    key, event = stored
    user, actor, whose = user_of(event), actor_key_of(event), subject_of(event)
    ip = event.get("source", {}).get("ip", "")
    before = (
        _around(store, Filters(users=(whose,), levels=ORDINARY, high=key), BEFORE) if whose else []
    )
    portrait = portrait_of(each for _key, each in before)
    return {
        "event": event,
        "key": key,
        "key_ms": time_of(key),
        "user_key": user,
        "actor_key": actor,
        "whose": whose,
        "whose_name": name_of_key(store, whose),
        "ocsf": _ocsf(event),
        "steps": explained(event.get("risk", {})),
        "scale": SCALE,
        "portrait": portrait,
        "usual": list(_usual(event, portrait)) if whose else [],
        "windows": list(event.get("windows", {}).items()),
        "same_user": _near(store, Filters(users=(user,)), key) if user else [],
        "same_actor": _near(store, Filters(actors=(actor,)), key)
        if actor not in {"", user}
        else [],
        "same_address": _near(store, Filters(ips=(ip,)), key) if ip else [],
        "alerts": store.alerts_behind(event_id),
        "remarks": store.remarks([event_id]).get(event_id, []),
        "verdicts": VERDICTS,
        "raw": str(event.get("raw", "")),
    }


def _ocsf(event: dict[str, Any]) -> dict[str, Any] | None:
    """The event in the words of OCSF; None when it is none that riskstream wrote."""
    try:
        return ocsf(read_scored(orjson.dumps(event)))
    except (msgspec.MsgspecError, ValueError, KeyError):
        return None


def explained(risk: dict[str, Any]) -> list[Step]:
    """The prior and each signal, in the order in which they add up to the score."""
    prior = risk.get("prior", {})
    told = [("prior", "What events of this kind start at", int(prior.get("points", 0)))]
    told += [
        (str(signal["id"]), str(signal["detail"]), int(signal["points"]))
        for signal in risk.get("signals", [])
    ]
    steps, sum_so_far = [], 0
    for name, detail, points in told:
        after = sum_so_far + points
        low, high = sorted((sum_so_far, after))
        width = max((high - low) * SCALE / 100, 2.0)
        steps.append(Step(name, detail, points, max(low, 0) * SCALE / 100, width, after))
        sum_so_far = after
    return steps


def user_of(event: dict[str, Any]) -> str:
    """The key of the user acted upon, else of the subject where it is one with a profile."""
    account, user = event.get("account_id", 0), event.get("user", {})
    if user.get("id") is not None:
        return user_key(account, user["id"])
    return name_key(account, user["name"]) if user.get("name") else ""


def subject_of(event: dict[str, Any]) -> str:
    """The key of the subject where it is a user; else that of the user acted upon."""
    subject = str(event.get("subject", ""))
    account, _, number = subject.partition(":")
    return subject if account and number.isdecimal() else user_of(event)


def name_of_key(store: Store, key: str) -> str:
    """What the user or actor of a key is called; the key, where nobody knows."""
    for kind in ("user", "actor"):
        entity = store.entity(kind, key)
        if entity is not None and entity.name:
            return entity.name
    return key


def actor_key_of(event: dict[str, Any]) -> str:
    """The key of whoever acted."""
    account, actor = event.get("account_id", 0), event.get("actor", {})
    if actor.get("id") is not None:
        return user_key(account, actor["id"])
    if event.get("client", {}).get("id"):
        return client_key(account, event["client"]["id"])
    if actor.get("system"):
        return system_key(account, actor["system"])
    return name_key(account, actor["name"]) if actor.get("name") else ""


def _around(store: Store, filters: Filters, most: int) -> list[StoredEvent]:
    return store.events(store.search(filters).page(most).keys)


def _near(store: Store, filters: Filters, key: int) -> list[tuple[bool, dict[str, Any]]]:
    """Events next to this one in time, the newest first, this one marked."""
    search = store.search(filters)
    newer = search.newer(RELATED, key)
    older = search.page(RELATED, key).keys
    keys = [*newer[-RELATED // 2 :], key, *older[: RELATED // 2]]
    return [(at == key, event) for at, event in store.events(keys)]


def _usual(event: dict[str, Any], portrait: Portrait) -> list[Usual]:
    source = event.get("source", {})
    app = event.get("app", {})
    agent = source.get("user_agent")
    hour = str(event.get("time", ""))[11:13]
    asked = [
        ("Address", source.get("ip"), portrait.addresses),
        ("Device", device_of(agent) if agent else None, portrait.devices),
        ("App", app.get("name") or app.get("id"), portrait.apps),
    ]
    found = []
    for what, value, counts in asked:
        if not value:
            continue
        seen, whole = counts[str(value)], counts.total()
        found.append(Usual(what, str(value), _said(seen, whole), new=bool(whole) and not seen))
    if hour.isdecimal() and portrait.events:
        seen = portrait.hours[int(hour) % 24]
        said = _said(seen, portrait.events)
        found.append(Usual("Hour", f"{hour}:00 UTC", said, new=not seen))
    return found


def _said(seen: int, whole: int) -> str:
    if not whole:
        return "nothing known before"
    if not seen:
        return f"never in the {whole} ordinary events before"
    return f"{100 * seen // whole or 1} % of the {whole} ordinary events before"
