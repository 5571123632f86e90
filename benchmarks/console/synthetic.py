"""Scored records made up fast: what they hold is like a tenant's, and nothing is scored."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from riskstream.catalog.catalog import Catalog
from riskstream.catalog.entry import CatalogEntry
from riskstream.events.record import InputRecord
from riskstream.events.times import format_time
from riskstream.events.topics import SCORED
from riskstream.risk.levels import level_of

__all__ = ["Span", "Tenant", "make_records"]

ACCOUNT = 1234
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_7) AppleWebKit/605.1 Version/18.1 Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
)
COMMON = (5, 6, 8, 7, 1001, 1002, 14, 62, 5, 8, 8, 8, 5, 8)
SYLLABLES = "ba be bi bo bu da de di do du ka ke ki ko ku la le li lo lu ma me mi mo mu".split()

TEMPLATE = (
    '{"schema_version":1,"id":"%d:%d","time":"%s","received_time":"%s","account_id":%d,'
    '"subject":"%d:%d","category":"%s","event_type":{"id":%d,"name":"%s","title":"%s","kind":"%s",'
    '"basis":"article"},"message":"%s","outcome":"%s","user":{"id":%d,"name":"%s"},'
    '"actor":{"id":%d,"name":"%s"},"app":{"id":%d,"name":"App %d"},"auth":{"method":"password"},'
    '"source":{"ip":"%s","user_agent":"%s"},"risk":{"score":%d,"level":"%s","policy":"2026-11-23",'
    '"prior":{"evidence":-0.8,"points":%d},"signals":[{"id":"new_address","evidence":0.6,'
    '"points":%d,"detail":"first seen from %s"}],"signal_ids":["new_address"],'
    '"reasons":"first seen from %s"},"windows":{"login_failures_5m":%d,"login_failures_1h":%d,'
    '"mfa_failures_5m":0,"locked":false,"lockouts_24h":0},"raw":"{\\"id\\":%d,\\"created_at\\":'
    '\\"%s\\",\\"account_id\\":%d,\\"user_id\\":%d,\\"event_type_id\\":%d,\\"notes\\":'
    '\\"Authentication method: password\\",\\"ipaddr\\":\\"%s\\",\\"actor_user_id\\":%d,'
    '\\"assuming_acting_user_id\\":null,\\"role_id\\":null,\\"app_id\\":%d,\\"group_id\\":null,'
    '\\"otp_device_id\\":null,\\"policy_id\\":null,\\"actor_system\\":\\"\\",'
    '\\"custom_message\\":null,\\"role_name\\":null,\\"app_name\\":\\"App %d\\"}"}'
)


@dataclass(frozen=True, slots=True)
class Tenant:
    """Whom the events are about."""

    users: int = 5_000
    addresses: int = 20_000
    apps: int = 60

    def name(self, user: int) -> str:
        """A user's name."""
        rng = random.Random(user)
        return "".join(rng.choices(SYLLABLES, k=3)).title() + f" {user}"

    def address(self, number: int) -> str:
        """An address, of a documentation range."""
        return f"2001:db8::{number:x}" if number % 4 else f"203.0.113.{number // 4 % 256}"


@dataclass(frozen=True, slots=True)
class Span:
    """When the events are, and how they are numbered."""

    start_ms: int
    end_ms: int
    first: int = 0
    seed: int = 1


def make_records(catalog: Catalog, count: int, span: Span) -> Iterator[InputRecord]:
    """So many records, evenly over a span of time and a little out of order."""
    rng, tenant = random.Random(span.seed), Tenant()
    entries = [entry for entry in catalog.entries if entry.id is not None]
    common = [catalog.lookup(number) for number in COMMON]
    names = [tenant.name(user) for user in range(tenant.users)]
    step = (span.end_ms - span.start_ms) / count
    for index in range(count):
        number = span.first + index
        at_ms = int(span.start_ms + index * step + rng.random() * 2000)
        entry = entries[number % len(entries)] if rng.random() < 0.1 else rng.choice(common)
        user = int(tenant.users * rng.random() ** 2)
        address = tenant.address(int(tenant.addresses * rng.random() ** 2))
        who = (user, names[user], address, rng.randrange(tenant.apps))
        value = _value(rng, entry, (number, at_ms), who)
        yield InputRecord(SCORED[entry.category], 0, number, at_ms, b"", value)


def _value(
    rng: random.Random,
    entry: CatalogEntry,
    when: tuple[int, int],
    who: tuple[int, str, str, int],
) -> bytes:
    (number, at_ms), (user, name, address, app) = when, who
    score = min(100, int(rng.expovariate(1 / 14)))
    stamp, failures = format_time(at_ms), rng.randrange(5)
    text = TEMPLATE % (
        *(ACCOUNT, number, stamp, stamp, ACCOUNT, ACCOUNT, user, entry.category, entry.id),
        *(entry.api_name, entry.title, entry.kind, f"{entry.title} {name}", entry.outcome),
        *(user, name, user, name, app, app, address, rng.choice(AGENTS), score, level_of(score)),
        *(score // 2, score - score // 2, address, address, failures, failures, number, stamp),
        *(ACCOUNT, user, entry.id, address, user, app, app),
    )
    return text.encode()
