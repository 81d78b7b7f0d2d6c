"""The service's log: JSON lines of named fields; whatever is not on the list is dropped.

Rules
- A line is written through `log(event, **fields)`. `event` is a constant of lower-case words; a field that `ALLOWED`
  does not name is dropped, and so is a text with signs no code has, or with nine digits in a row. So no name, number,
  birth, address or serial can get into a log, not even by a slip.
- What libraries say is not repeated: their messages may hold values. Such a line tells the library, the level, the
  class of the error and where in the code it rose.
- One line of access log for each request: route, method, status, seconds. Never the address line or a query.

>>> kept({"event": "request", "status": 200, "citizen_id": "001090000001", "typ": "landask+jwt"})
{'event': 'request', 'status': 200, 'typ': 'landask+jwt'}
>>> kept({"event": "Nguyễn Văn A", "error": "id 001090000001"})
{'event': 'dropped'}
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog

ALLOWED = frozenset(
    {
        "timestamp", "level", "event",
        # a request
        "method", "route", "status", "seconds", "typ", "outcome", "check", "reason", "peer", "retry_after",
        # the process
        "pid", "host", "port", "database", "workers", "version", "signal",
        # work in the background
        "tries", "count", "size", "leaves", "entries", "delivery", "attempt", "state",
        # an error
        "error", "where", "library",
    }
)  # fmt: skip
"""Fields that hold codes, numbers and places in the code."""

_EVENT = re.compile(r"[a-z][a-z_ -]{0,60}")
_TEXT = re.compile(r"[A-Za-z0-9_.,:;/+{}<>()\[\] -]{0,200}")
_NUMBER_LIKE = re.compile(r"\d{9}")


def kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that may be written."""
    told = {name: value for name, value in fields.items() if name in ALLOWED and _harmless(name, value)}
    return {"event": "dropped"} | told


def _harmless(name: str, value: Any) -> bool:
    if value is None or isinstance(value, int | float):
        return True
    if not isinstance(value, str):
        return False
    if name == "event":
        return _EVENT.fullmatch(value) is not None
    return name == "timestamp" or (_TEXT.fullmatch(value) is not None and _NUMBER_LIKE.search(value) is None)


def _keep(_logger: Any, _method: str, fields: Any) -> dict[str, Any]:
    return kept(fields)


class _Libraries(logging.Handler):
    """Lines of other people's code, without what they say."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell library, level, class and place."""
        kind, _, trace = record.exc_info if isinstance(record.exc_info, tuple) else (None, None, None)
        get().log(record.levelno, "library", library=record.name, **_told(kind, trace))


def _told(kind: type[BaseException] | None, trace: TracebackType | None) -> dict[str, str]:
    return {} if kind is None else {"error": kind.__name__, "where": places(trace)}


def places(trace: TracebackType | None) -> str:
    """The last calls before an error, as `file.py:line`, without a value."""
    found = []
    while trace is not None:
        found.append(f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " ".join(found[-5:])


def of_error(error: BaseException) -> dict[str, str]:
    """The fields that tell of an error: its class and its place."""
    return _told(type(error), error.__traceback__)


def configure(stream: TextIO | None = None, *, level: int = logging.INFO) -> None:
    """Send our lines and those of the libraries to `stream` (standard error unless told), as JSON."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _keep,
            structlog.processors.JSONRenderer(serializer=json.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=stream or sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Libraries()]
    root.setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "alembic", "sqlalchemy"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(logging.WARNING)


def get() -> Any:
    """The logger: `get().info("started", port=8443)`."""
    return structlog.get_logger()
