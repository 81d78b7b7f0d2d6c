"""The audit log for anybody: key, checkpoint, proof, consistency, leaves (protocol §6).

Rules
- No authentication: a leaf holds no personal data.
- What is unknown or not yet in the checkpoint is 404, what cannot be read is 400. A range longer than the most is cut.
- Each answer stands on a checkpoint of about a second ago, never of more than five.

>>> _SEALED.fullmatch("0" * 64) is not None, _SEALED.fullmatch("0" * 63) is not None
(True, False)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query
from sqlalchemy import Connection, Engine
from starlette.responses import JSONResponse, PlainTextResponse, Response

from confirm_api import problems
from confirm_api.audit import checkpoint, log
from confirm_api.audit.sequencer import BEHIND_SECONDS, Sequencer
from confirm_api.reception import Busy
from confirm_api.store.engine import reading
from exchange.kinds import PROBLEM_TYPE

_SEALED = re.compile(r"[0-9a-f]{64}")
_MOST_INDEX = 2**53
"""No tree grows so large; a larger number would not fit the database."""
_JSON_LINES = "application/jsonl"
_TEXT: dict[str, Any] = {"content": {"text/plain": {"schema": {"type": "string"}}}}
_NOT_FOUND: dict[str, Any] = {"model": problems.Problem, "content": {PROBLEM_TYPE: {}}, "description": "Not there yet"}
_BAD: dict[str, Any] = {"model": problems.Problem, "content": {PROBLEM_TYPE: {}}, "description": "A bad query"}
_RESPONSES: dict[int | str, dict[str, Any]] = {200: _TEXT, 400: _BAD, 404: _NOT_FOUND}
_Size = Annotated[int, Query(ge=0)]
_T = TypeVar("_T")


def router(engine: Engine, sequencer: Sequencer, busy: Busy) -> APIRouter:
    """The routes of the log."""
    routes = APIRouter(prefix="/v1/log", tags=["log"])

    async def look(query: Callable[[Connection], _T]) -> _T:
        return await busy.run(partial(_look, engine, sequencer, query))

    @routes.get("/key", summary="The verifier key to pin", response_class=PlainTextResponse, responses={200: _TEXT})
    async def key() -> Response:
        return PlainTextResponse(sequencer.key.verifier)

    @routes.get("/checkpoint", summary="The signed head of the tree", responses={200: _TEXT})
    async def newest() -> Response:
        head = await look(log.latest_checkpoint)
        return problems.not_found() if head is None else PlainTextResponse(head.note)

    @routes.get("/proof", summary="That a leaf is in the tree", responses=_RESPONSES)
    async def proof(index: Annotated[int | None, Query(ge=0)] = None, sealed: str | None = None) -> Response:
        if (index is None) == (sealed is None):
            return problems.bad_request("expected either index or sealed")
        if sealed is not None and not _SEALED.fullmatch(sealed):
            return problems.bad_request("sealed: expected 64 lower-case hex digits")
        if (index or 0) > _MOST_INDEX:
            return problems.not_found()
        text = await look(lambda conn: log.proof(conn, index=index, sealed=sealed))
        return problems.not_found() if text is None else PlainTextResponse(text)

    @routes.get("/consistency", summary="That the tree only grew", responses=_RESPONSES | {200: _CONSISTENCY})
    async def consistency(
        first: Annotated[int, Query(alias="from", ge=1)], second: Annotated[int, Query(alias="to", ge=1)]
    ) -> Response:
        if first > second:
            return problems.bad_request("expected from ≤ to")
        found = await look(lambda conn: log.consistency(conn, first, second))
        if found is None:
            return problems.not_found()
        return JSONResponse({"from": first, "to": second, "hashes": checkpoint.encode_hashes(found)})

    @routes.get("/leaves", summary="Leaves, byte for byte", responses=_RESPONSES | {200: _LEAVES})
    async def leaves(
        first: Annotated[int, Query(alias="from", ge=0)], end: Annotated[int, Query(alias="to", ge=0)]
    ) -> Response:
        if first > end:
            return problems.bad_request("expected from ≤ to")
        found = await look(lambda conn: log.leaf_texts(conn, first, end))
        if found is None:
            return problems.not_found()
        return Response("".join(f"{leaf}\n" for leaf in found), media_type=_JSON_LINES)

    return routes


def _look(engine: Engine, sequencer: Sequencer, query: Callable[[Connection], _T]) -> _T:
    sequencer.freshen(BEHIND_SECONDS)
    with reading(engine) as conn:
        return query(conn)


_LEAVES: dict[str, Any] = {"content": {_JSON_LINES: {"schema": {"type": "string"}}}}
_HASH = {"type": "string", "contentEncoding": "base64"}
_CONSISTENCY: dict[str, Any] = {
    "content": {
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {
                    "from": {"type": "integer"},
                    "to": {"type": "integer"},
                    "hashes": {"type": "array", "items": _HASH},
                },
                "required": ["from", "to", "hashes"],
            }
        }
    }
}
