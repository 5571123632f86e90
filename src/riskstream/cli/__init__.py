"""What a person types."""

__all__ = ["main"]


def main() -> None:
    """Run the ``riskstream`` command."""
    from riskstream.cli.app import app  # noqa: PLC0415  (importing the package stays cheap)

    app()
