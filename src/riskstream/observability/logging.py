"""Logs: structlog on stderr, JSON unless a person is looking; the libraries' logs go the same way.

Lines carry no field of an event but ids: logs are kept longer and read by more people than
the topics are.
"""

import logging
import sys
from typing import TYPE_CHECKING

import structlog

from riskstream.observability.repeats import Repeats

if TYPE_CHECKING:
    from structlog.typing import Processor

    from riskstream.config import LogSettings

__all__ = ["configure_logging"]

QUIET = {
    "aiokafka": logging.WARNING,
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "uvicorn": logging.WARNING,
}
"""Libraries say less than we do: their info lines tell of their own works, not of events."""


def configure_logging(settings: "LogSettings") -> None:
    """Send every log line of this process to stderr, once per line, in the form asked for.

    To be called once at the start, before Faust sets up logging of its own: handlers that are
    there already are taken away. May be called again, as tests do.
    """
    as_json = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(Repeats())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_last(as_json=as_json),
            ],
        )
    )
    logging.getLogger("aiokafka.conn").addFilter(_no_login)
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in QUIET.items():
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(level if level <= logging.DEBUG else max(level, least))
    logging.captureWarnings(capture=True)


def _no_login(record: logging.LogRecord) -> bool:
    """At debug aiokafka logs every request whole, those with passwords and tokens, too."""
    arguments = record.args if isinstance(record.args, tuple) else ()
    return not any(type(one).__name__.startswith("SaslAuthenticate") for one in arguments)


def _last(*, as_json: bool) -> "list[Processor]":
    if as_json:
        return [
            structlog.processors.format_exc_info,
            structlog.processors.UnicodeDecoder(),
            structlog.processors.EventRenamer("message"),
            structlog.processors.JSONRenderer(sort_keys=True),
        ]
    return [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
