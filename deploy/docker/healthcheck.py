"""Health check of the container: ask the worker inside, exit 0 when it says yes.

Usage: healthcheck.py [PATH] [PORT...]

``worker --role all`` runs a process per role, each on the next port: name every port.
Without a port the one of ``RISKSTREAM_HTTP__PORT`` is asked, else 9464.
"""

import os
import sys
import urllib.error
import urllib.request

SECONDS = 3.0


def main(arguments: list[str]) -> int:
    """Ask every port for the path; 1 and a line on stderr at the first that does not say yes."""
    path = arguments[0] if arguments else "/health/live"
    ports = arguments[1:] or [os.environ.get("RISKSTREAM_HTTP__PORT", "9464")]
    for port in ports:
        address = f"http://127.0.0.1:{int(port)}{path}"
        try:
            with urllib.request.urlopen(address, timeout=SECONDS):
                pass
        except (urllib.error.URLError, OSError) as fault:
            sys.stderr.write(f"{address}: {fault}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
