"""What a person types."""

__all__ = ["main"]


def main() -> None:
    """Run the ``riskstream`` command."""
    from riskstream.cli.app import app

    app()
