"""What goes wrong, as the peer sees it: `application/problem+json`, the same bytes for the same case.

Rules (protocol §2)
- Checks (1) to (14) answer one and the same 400, byte for byte; only the log holds the reason.
- A payload that does not fit is told why; a fault of ours tells nothing.

>>> UNACCEPTABLE.body
b'{"type":"urn:quychu:problem:unacceptable-message","title":"Unacceptable message","status":400}'
>>> try_later(429, 0.2).headers["retry-after"]
'1'
"""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import Response

from exchange.kinds import PROBLEM_TYPE

_URN = "urn:quychu:problem:"


class Problem(BaseModel):
    """RFC 9457; for the OpenAPI document."""

    type: str = Field(examples=[f"{_URN}try-later"])
    title: str = Field(examples=["Try later"])
    status: int = Field(examples=[503])
    detail: str | None = None


def problem(name: str, title: str, status: int, *, detail: str | None = None, headers: Any = None) -> Response:
    """One problem document."""
    told = {"type": f"{_URN}{name}", "title": title, "status": status} | ({} if detail is None else {"detail": detail})
    body = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, headers, PROBLEM_TYPE)


UNACCEPTABLE = problem("unacceptable-message", "Unacceptable message", 400)


def unacceptable() -> Response:
    """The answer to everything that fails the checks (1) to (14)."""
    return Response(UNACCEPTABLE.body, 400, media_type=PROBLEM_TYPE)


def invalid_payload(detail: str) -> Response:
    """Check (15)."""
    return problem("invalid-payload", "Invalid payload", 422, detail=detail)


def try_later(status: int, seconds: float) -> Response:
    """Too many (429) or not now (503)."""
    return problem("try-later", "Try later", status, headers={"Retry-After": str(max(1, math.ceil(seconds)))})


def internal() -> Response:
    """A fault of ours; what it was stands in the log."""
    return problem("internal-error", "Internal error", 500)


def not_found() -> Response:
    """No such path, leaf or tree size."""
    return problem("not-found", "Not found", 404)


def bad_request(detail: str) -> Response:
    """A query that cannot be read."""
    return problem("bad-request", "Bad request", 400, detail=detail)
