"""``python -m riskstream`` is the ``riskstream`` command."""

from riskstream.cli import main

if __name__ == "__main__":
    main()
