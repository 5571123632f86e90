"""``riskstream policy``: the risk policy, shipped or an operator's."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from riskstream.cli.options import FormatOption, settings_for
from riskstream.cli.output import Format, note, show, table, write_json

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
    """Check a policy file; every fault is listed, and the exit code is 2 when there is one.

    **Example:**  riskstream policy check my-policy.toml
    """
    policy = _load(file)
    note(f"Policy {policy.version} is good.")


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
