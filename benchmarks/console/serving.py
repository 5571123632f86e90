"""A console over a store, for the benchmark: its address on stdout, then pages until stopped."""

import socket
import sys
from pathlib import Path

import uvicorn

from riskstream.catalog.loader import load_catalog
from riskstream.config import load_settings
from riskstream.console.follower import Following
from riskstream.console.store.store import Store
from riskstream.console.web.app import make_app
from riskstream.console.web.audit import Audit
from riskstream.console.web.site import Site


def main() -> None:
    """Serve the store that the first argument names."""
    directory = Path(sys.argv[1])
    settings = load_settings(console={"directory": directory})
    site = Site(
        settings,
        Store(directory),
        load_catalog(),
        Audit(directory),
        following=lambda: Following("following"),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(make_app(site), log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listening])


if __name__ == "__main__":
    main()
