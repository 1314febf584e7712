"""Structured lines on stderr: for people on a terminal, JSON otherwise.

Nothing on the per-message path logs; a call binds one logger and tells what became of it.
"""

import logging
import sys
from typing import TextIO

import structlog

from config.api import LogTable

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(settings: LogTable, stream: TextIO | None = None) -> None:
    """Set up structlog for the process, writing to stderr unless `stream` says otherwise.

    Calls below the level cost a quarter of a microsecond.  The standard library's loggers (uvicorn,
    SQLAlchemy) are led here too, warnings and above.
    """
    stream = stream or sys.stderr
    human = settings.format == "human" or (settings.format == "auto" and stream.isatty())
    structlog.configure(
        processors=_processors(human),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[settings.level]),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=True,
    )
    logging.root.handlers[:] = [Bridge()]
    logging.root.setLevel(logging.WARNING)


def _processors(human: bool) -> list[structlog.typing.Processor]:
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="%H:%M:%S.%f" if human else "iso", utc=not human),
    ]
    if human:
        plain = structlog.dev.plain_traceback  # rich prints locals: seconds, and whatever they hold
        return [*shared, structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    return [*shared, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


class Bridge(logging.Handler):
    """Hands records of the standard library's loggers to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger(source=record.name)
        logger.log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)
