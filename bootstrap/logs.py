"""What every line of a log carries: the moment, the level, who speaks, and on what work."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from bootstrap.settings import Settings

FACTS = ("run", "tenant", "course", "item", "phase", "request")
"""What a line may say of the work it was written in, in this order."""

_about: ContextVar[Mapping[str, str | int]] = ContextVar("about")
_NOTHING: Mapping[str, str | int] = {}
_STAMP = "waymark_about"


@contextmanager
def about(**facts: str | int | None) -> Iterator[None]:
    """Have every line of this thread say on what work it was written, until the end.

    Args:
        facts: Some of ``FACTS``; None for what is not known. Ids and fixed words only: neither
            names nor anything secret.

    Yields:
        Nothing.
    """
    known = {name: value for name, value in facts.items() if value is not None}
    token = _about.set({**_about.get(_NOTHING), **known})
    try:
        yield
    finally:
        _about.reset(token)


def configure(settings: Settings) -> None:
    """Have all loggers of this process write in the chosen format to standard error.

    A process whose logging is set up already, as that of tests, keeps it.
    """
    handler = logging.StreamHandler()
    handler.addFilter(_stamped)
    handler.setFormatter(JsonLines() if settings.log_format == "json" else PlainLines())
    logging.basicConfig(level=settings.log_level, handlers=[handler])


def use_for(logger: logging.Logger) -> None:
    """Have a library's logger, which brings handlers of its own, write as all others do."""
    logger.handlers.clear()
    logger.propagate = True


class PlainLines(logging.Formatter):
    """Lines for persons, with the work in brackets."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(work)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line, more where there is a traceback."""
        facts = _facts(record)
        told = " ".join(f"{name}={facts[name]}" for name in FACTS if name in facts)
        record.work = f" [{told}]" if told else ""
        return super().format(record)


class JsonLines(logging.Formatter):
    """One line of JSON a record, tracebacks included."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        facts = _facts(record)
        line: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **{name: facts[name] for name in FACTS if name in facts},
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def _stamped(record: logging.LogRecord) -> bool:
    # Taken when the record is made: a handler may write it in another thread.
    setattr(record, _STAMP, _about.get(_NOTHING))
    return True


def _facts(record: logging.LogRecord) -> Mapping[str, str | int]:
    facts: Mapping[str, str | int] = getattr(record, _STAMP, {})
    return facts
