"""Logging of every process: one line per fact, for people (`text`) or machines (`json`), on the error output.

Parts that use the standard library's logging and parts that use structlog come out alike. Secrets are never handed
to a logger; what must not be shown is not in the values that are logged.
"""

from __future__ import annotations

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

from app.settings import Settings

QUIET = ("paramiko", "alembic", "sqlalchemy", "rq", "urllib3", "asyncio")
"""Libraries whose ordinary lines help nobody."""


def on_one_line(_logger: object, _method: str, entry: EventDict) -> EventDict:
    """The sentence without line breaks and terminal codes: what a stranger sent can't look like a line of ours."""
    sentence = str(entry.get("event", ""))
    if not sentence.isprintable():
        entry["event"] = "".join(each if each.isprintable() else ascii(each)[1:-1] for each in sentence)
    return entry


def configure(settings: Settings) -> None:
    """Everything that is logged from now on goes to the error output in the format of the settings."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        on_one_line,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    as_json = settings.log_format == "json"
    renderer: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
