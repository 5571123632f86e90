"""``riskstream warm-up``: profiles learn from history before the first live event."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from riskstream.cli.kafka import run
from riskstream.cli.options import BootstrapServers, FormatOption, input_file, settings_for
from riskstream.cli.output import Format, note, progress, show, table, write_json
from riskstream.errors import ConfigError

if TYPE_CHECKING:
    from riskstream.config import Settings
    from riskstream.events.record import InputRecord

__all__ = ["warm_up"]

DAY_MS = 86_400_000


class Past(NamedTuple):
    """One event of the past, as it will be sent."""

    at_ms: int
    key: bytes
    value: bytes


def warm_up(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Events in any shape that OneLogin delivers.")
    ],
    *,
    days: Annotated[
        int, typer.Option(help="So many before the newest event are used.", min=1, max=90)
    ] = 90,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Report only; nothing is sent to Kafka.")
    ] = False,
    bootstrap_servers: BootstrapServers = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Train profiles from history, oldest event first, and say how ready they are.

    The events go to the raw topic marked as history: workers learn from them and route none.
    Run it before live events come in; the whole history is held in memory.

    **Examples:**

    riskstream warm-up history.ndjson --dry-run

    riskstream warm-up history.ndjson --days 90
    """
    settings = settings_for(bootstrap_servers)
    past, unread = _past(settings, input_file(file), days)
    if not past:
        raise ConfigError(f"{file} has no event that can be learned from ({unread} unreadable).")
    report = _report(settings, past)
    report["unreadable"] = unread
    if not dry_run:
        report["sent"] = run(_send(settings, past))
    if output is Format.JSON:
        write_json(report)
        return
    show(
        table(["readiness", "#"], [(name.replace("_", " "), told) for name, told in report.items()])
    )
    if not dry_run:
        note("Workers learn as they read; wait until the lag is gone before live events come in.")


def _past(settings: "Settings", file: Path, days: int) -> tuple[list[Past], int]:
    """The events of a file, each by itself, oldest first; and how many could not be read."""
    import msgspec

    from riskstream.catalog.loader import load_catalog
    from riskstream.cli.scoring import documents
    from riskstream.events.event import Classified
    from riskstream.events.topics import CLASSIFIED
    from riskstream.pipeline.ingest import Ingest
    from riskstream.pipeline.limits import Limits

    limits = Limits(**settings.limits.model_dump())
    ingest = Ingest(load_catalog(settings.catalog.overlay), limits)
    decode, past, unread = msgspec.json.Decoder(Classified).decode, list[Past](), 0
    with file.open("rb") as source, progress("reading", file.stat().st_size or None) as advance:
        for document in documents(source, settings.limits.max_record_bytes):
            for found in ingest([document]).outputs:
                if found.topic != CLASSIFIED or found.value is None:
                    unread += 1
                    continue
                classified = decode(found.value)
                if bytes(classified.event) and not classified.raw_truncated:
                    text: str = msgspec.json.decode(bytes(classified.raw))
                    past.append(Past(classified.facts.time_ms, found.key or b"", text.encode()))
            advance(len(document.value or b""))
    past.sort(key=lambda each: each.at_ms)
    oldest = past[-1].at_ms - days * DAY_MS if past else 0
    return [each for each in past if each.at_ms >= oldest], unread


def _report(settings: "Settings", past: list[Past]) -> dict[str, object]:
    """What profiles know after this history, found by learning from it here and now."""
    from riskstream.catalog.loader import load_catalog
    from riskstream.pipeline.assess import Assess
    from riskstream.pipeline.ingest import Ingest
    from riskstream.pipeline.limits import Limits
    from riskstream.pipeline.state import PartitionState
    from riskstream.reference.reference import Reference
    from riskstream.risk.loader import load_policy

    limits, policy = Limits(**settings.limits.model_dump()), load_policy(settings.risk.policy)
    around = Reference(settings.reference, _untold)
    ingest = Ingest(load_catalog(settings.catalog.overlay), limits, None, around)
    assess, state = Assess(policy, limits), PartitionState()
    levels: Counter[str] = Counter()
    last_week = past[-1].at_ms - 7 * DAY_MS
    offset = 0
    for each in past:
        classified = [
            _at(offset + place, output.key, output.value)
            for place, output in enumerate(ingest([_at(offset, each.key, each.value)]).outputs)
        ]
        result = assess(classified, state)
        state.apply(result.changes)
        offset += len(classified)
        if each.at_ms >= last_week:
            for (_category, level), count in result.tally.scored.items():
                levels[level] += count
    logins = [profile.logins for profile in state.profiles.values() if profile.logins]
    new = policy.signals.new_user
    enough = 5 if new is None else new.until_logins
    return {
        "events": len(past),
        "days": -(-(past[-1].at_ms - past[0].at_ms) // DAY_MS),
        "users": len(logins),
        f"users_with_{enough}_logins": sum(count >= enough for count in logins),
        "users_with_12_logins": sum(count >= 12 for count in logins),  # noqa: PLR2004  (a stable setup, by the literature)
        "high_in_the_last_week": levels["high"],
        "medium_in_the_last_week": levels["medium"],
        "events_in_the_last_week": levels.total(),
    }


def _at(offset: int, key: bytes | None, value: bytes | None) -> "InputRecord":
    from riskstream.cli.scoring import ORIGIN
    from riskstream.events.record import InputRecord

    return InputRecord(ORIGIN, 0, offset, None, key, value)


def _untold(_event: str, /, **_about: object) -> None:
    """Files are read once, so nothing happens to them."""


async def _send(settings: "Settings", past: list[Past]) -> int:
    from riskstream.pipeline.classify import WARMING
    from riskstream.streaming.producer import feed

    with progress("sending", len(past)) as advance:
        return await feed(
            settings.kafka,
            past,
            on_sent=lambda _: advance(1),
            headers=((WARMING, b"1"),),
        )
