"""``riskstream catalog``: what each event type means."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.options import FormatOption, settings_for
from riskstream.cli.output import Format, note, show, table, write_json
from riskstream.errors import CheckFailedError
from riskstream.events.vocabulary import Category, EventOutcome, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskstream.catalog.catalog import Catalog
    from riskstream.catalog.entry import CatalogEntry

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Look up event types: their category, outcome, kind and basis."
)

CatalogFile = Annotated[
    Path | None,
    typer.Option("--catalog", metavar="FILE", help="Lay these event types over the catalog."),
]
CategoryFilter = Annotated[
    list[Category] | None, typer.Option("--category", help="May be given several times.")
]
KindFilter = Annotated[
    list[Kind] | None,
    typer.Option("--kind", metavar="KIND", help="Such as login_failure; several times if need be."),
]
OutcomeFilter = Annotated[EventOutcome | None, typer.Option("--outcome")]


@app.command("list")
def list_types(
    *,
    category: CategoryFilter = None,
    kind: KindFilter = None,
    outcome: OutcomeFilter = None,
    catalog: CatalogFile = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """List the event types.

    **Example:**  riskstream catalog list --category users --kind login_failure
    """
    entries = _filtered(_load(catalog).entries, category, kind, outcome)
    _show(entries, output)


@app.command()
def search(
    text: Annotated[str, typer.Argument(help="Words, all of which must occur; or an id.")],
    *,
    category: CategoryFilter = None,
    kind: KindFilter = None,
    outcome: OutcomeFilter = None,
    catalog: CatalogFile = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Search API names, titles and templates.

    **Example:**  riskstream catalog search "user locked"
    """
    _show(_filtered(_load(catalog).search(text), category, kind, outcome), output)


@app.command("show")
def show_type(
    event_type: Annotated[str, typer.Argument(metavar="ID|API_NAME")],
    *,
    catalog: CatalogFile = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show everything that is known of one event type; exit 1 when it is in no list.

    **Example:**  riskstream catalog show 6
    """
    name = event_type.casefold()
    for entry in _load(catalog).entries:
        if name in {str(entry.id), entry.api_name.casefold()}:
            if output is Format.JSON:
                write_json(_document(entry))
            else:
                show(table(["field", "value"], list(_document(entry).items())))
            return
    raise CheckFailedError(
        f"The catalog has no event type {event_type}. Events of an unknown type are routed to "
        "iam.scored.uncataloged.v1; an overlay (--catalog, catalog.overlay) can add it."
    )


def _load(overlay: Path | None) -> "Catalog":
    from riskstream.catalog.loader import load_catalog

    return load_catalog(settings_for(catalog={"overlay": overlay}).catalog.overlay)


def _filtered(
    entries: "Sequence[CatalogEntry]",
    categories: list[Category] | None,
    kinds: list[Kind] | None,
    outcome: EventOutcome | None,
) -> "list[CatalogEntry]":
    return [
        entry
        for entry in entries
        if (not categories or entry.category in categories)
        and (not kinds or entry.kind in kinds)
        and (outcome is None or entry.outcome is outcome)
    ]


def _show(entries: "list[CatalogEntry]", output: Format) -> None:
    if output is Format.JSON:
        write_json([_document(entry) for entry in entries])
        return
    rows = [
        (
            entry.id,
            entry.api_name,
            entry.title,
            entry.category,
            entry.kind,
            entry.outcome,
            entry.sensitivity,
            entry.basis,
        )
        for entry in entries
    ]
    columns = ["#id", "API name", "title", "category", "kind", "outcome", "sensitivity", "basis"]
    show(table(columns, rows))
    note(f"{len(rows)} event types.")


def _document(entry: "CatalogEntry") -> dict[str, Any]:
    return asdict(entry)
