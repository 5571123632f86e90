"""``riskstream policy``: the risk policy, shipped or an operator's."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.options import FormatOption, settings_for
from riskstream.cli.output import Format, note, show, table, write_json
from riskstream.errors import CheckFailedError

if TYPE_CHECKING:
    from riskstream.risk.policy import Policy

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Check and show the risk policy.")

PolicyFile = Annotated[
    Path | None,
    typer.Argument(metavar="[FILE]", help="Without it risk.policy of the settings, else shipped."),
]


@app.command()
def check(file: PolicyFile = None) -> None:
    """Check a policy file and run the examples in it.

    Every fault is listed. The exit code is 2 when the file has one, and 1 when an example does
    not end as it says.

    **Example:**  riskstream policy check my-policy.toml
    """
    from riskstream.pipeline.examples import failing_examples

    policy = _load(file)
    faults = list(failing_examples(policy))
    if faults:
        told = "\n".join(f"  {fault}" for fault in faults)
        raise CheckFailedError(
            f"{len(faults)} of the {len(policy.examples)} examples of policy {policy.version} "
            f"do not end as they say:\n{told}"
        )
    for rule in policy.exceptions:
        if rule.until < datetime.now(UTC).date():
            note(f"An exception has ended on {rule.until} and may be removed: {rule.reason}")
    note(f"Policy {policy.version} is good, and its {len(policy.examples)} examples hold.")


@app.command("show")
def show_policy(
    file: PolicyFile = None,
    *,
    source: Annotated[
        bool, typer.Option("--source", help="Print the file itself, to start an own one from.")
    ] = False,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show what each signal and each kind of event weighs.

    **Example:**  riskstream policy show --source > my-policy.toml
    """
    policy = _load(file)
    if source:
        typer.echo(_path(file).read_text(encoding="utf-8"), nl=False)
    elif output is Format.JSON:
        write_json(policy.model_dump(mode="json", exclude_none=True))
    else:
        show(*_tables(policy))


@app.command()
def diff(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A policy file.")],
    after: Annotated[
        Path | None, typer.Argument(metavar="[AFTER]", help="Without it the policy in use.")
    ] = None,
    *,
    output: FormatOption = Format.TABLE,
) -> None:
    """Show every number in which two policies differ.

    **Example:**  riskstream policy diff old.toml new.toml
    """
    old, new = _load(before), _load(after)
    changes = _differences(
        old.model_dump(mode="json", exclude_none=True),
        new.model_dump(mode="json", exclude_none=True),
    )
    if output is Format.JSON:
        write_json([{"place": place, "before": was, "after": now} for place, was, now in changes])
    elif changes:
        rows = [(place, _shown(was), _shown(now)) for place, was, now in changes]
        show(table(["place", old.version, new.version], rows))
    else:
        note("The two policies say the same.")


@app.command()
def explain(
    signal: Annotated[str, typer.Argument(metavar="SIGNAL", help="Its id, as in an event.")],
    policy_file: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="A policy file.")
    ] = None,
) -> None:
    """Say what one signal looks at and what it weighs.

    **Example:**  riskstream policy explain impossible_travel
    """
    from riskstream.cli.signal_text import signal_text

    typer.echo(signal_text(_load(policy_file), signal))


def _differences(
    old: dict[str, Any], new: dict[str, Any], place: str = ""
) -> list[tuple[str, Any, Any]]:
    found: list[tuple[str, Any, Any]] = []
    for name in sorted(old.keys() | new.keys()):
        was, now, at = old.get(name), new.get(name), f"{place}{name}"
        if isinstance(was, dict) and isinstance(now, dict):
            found += _differences(was, now, f"{at}.")
        elif was != now:
            found.append((at, was, now))
    return found


def _shown(value: Any) -> str:
    import json

    return "-" if value is None else value if isinstance(value, str) else json.dumps(value)


def _load(file: Path | None) -> "Policy":
    from riskstream.risk.loader import load_policy

    return load_policy(_path(file))


def _path(file: Path | None) -> Path:
    from riskstream.risk.loader import SHIPPED

    return settings_for(risk={"policy": file}).risk.policy or SHIPPED


def _tables(policy: "Policy") -> list[Any]:
    document = policy.model_dump(mode="json", exclude_none=True)
    signals = [
        (name, rule.get("family"), _rule(rule)) for name, rule in document["signals"].items()
    ]
    priors = [
        (of, name, evidence, _score(evidence))
        for of in ("kind", "sensitivity")
        for name, evidence in document["priors"][of].items()
    ]
    families = [(name, rule["cap"]) for name, rule in document["families"].items()]
    return [
        f"Policy {policy.version}",
        table(["signal", "family", "weighs"], signals),
        table(["family", "#cap"], families),
        table(["prior by", "is", "#evidence", "#score alone"], priors),
    ]


def _score(evidence: float) -> int:
    from riskstream.risk.policy import milli
    from riskstream.risk.score import score_of

    return score_of(milli(evidence))


def _rule(rule: dict[str, Any]) -> str:
    """``3: 0.3, 5: 0.6`` for steps, then what else the rule says."""
    steps = ", ".join(f"{step['at']}: {step['evidence']:+}" for step in rule.get("steps", []))
    others = [f"{name} {value}" for name, value in rule.items() if name not in {"family", "steps"}]
    return "; ".join(filter(None, [steps, *others]))
