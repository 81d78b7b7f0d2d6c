"""The driver API: answers in bulk, for tests, demos and benchmarks. Off unless the settings give it a token.

Every call bears `Authorization: Bearer <token>`; without the right one, or with the API off, it is an empty 404.

    call                            body or query                                        answer
    GET  /driver/requests           ?after= the last `next`, 0 at first; &limit= to 5000  {"requests": […], "next": N}
    POST /driver/answers            [{"auth_req_id", "answers": […]}] or, instead         {"results": ["ok", …]}
                                    of answers, "decline": true
    POST /driver/revise             [{"auth_req_id", "answers": […]}]                     {"results": ["ok", …]}
    POST /driver/declare            [{"citizen_id", "certificate_serial",                 {"results": [id, …]}
                                    "parcel_address", "on_behalf_of"}]
    POST /driver/accounts           {"<12 digits>": 0 (nobody), 1 or 2}                   {"accounts": N}
    POST /driver/faults             knobs of settings.FaultSettings                       all knobs as they are now
    POST /driver/service            {"url": …}: where the service listens now             {"url": …}
    GET  /driver/state              –                                                     counters of everything

Rules
- A request in `requests` is `{no, auth_req_id, question_id, attempt, citizen_id, binding_message, created_at,
  expires_at, items: [{item_id, facts, challenge}]}`; only open ones are given. `no` grows in the order of commitment.
- An answer is `{item_id, verdict}` and, where wanted, `challenge_response` and `corrections`.
- A list is one transaction. What cannot be done says why in its place (`not-open`, `answer: …`); the rest is done.
- 200 means durable. A body that is not what the table says is 422.
- `requests` shows every citizen's: a door for simulated citizens, never to be opened where people are.

>>> page(["a"], 7)
{'requests': ['a'], 'next': 7}
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from confirm_api.vneid_sim import citizen, provider, tables
from confirm_api.vneid_sim.errors import AnswerError, NotOpenError, SettingsError
from confirm_api.vneid_sim.outbox import Outbox
from confirm_api.vneid_sim.provider import Desk
from confirm_api.vneid_sim.reception import Reception, invalid
from exchange.errors import ExchangeError, InvalidPayload
from exchange.sealed import strict_json
from exchange.transport import refuse_unsafe

_PAGE = 5_000
_LARGEST_BODY = 32_000_000
_DECLARED = ("certificate_serial", "parcel_address", "on_behalf_of")


class _BadCallError(Exception):
    """A body that is not what the table says."""


@dataclass(frozen=True)
class Driver:
    """The API's endpoints."""

    reception: Reception
    outbox: Outbox
    desk: Desk
    token: str | None

    def routes(self) -> list[Route]:
        """One route a row of the table."""
        calls: list[tuple[str, str, Callable[[Request], Awaitable[Any]]]] = [
            ("GET", "requests", self._requests),
            ("POST", "answers", self._answers),
            ("POST", "revise", self._revise),
            ("POST", "declare", self._declare),
            ("POST", "accounts", self._accounts),
            ("POST", "faults", self._faults),
            ("POST", "service", self._service),
            ("GET", "state", self._state),
        ]
        return [Route(f"/driver/{name}", self._guarded(call), methods=[method]) for method, name, call in calls]

    def _guarded(self, call: Callable[[Request], Awaitable[Any]]) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            if not self._may(request):
                return Response(status_code=404)
            try:
                content = await call(request)
            except (_BadCallError, InvalidPayload, SettingsError, ExchangeError) as error:
                return invalid(str(error))
            self.outbox.wake()
            return JSONResponse(content)

        return endpoint

    def _may(self, request: Request) -> bool:
        given = request.headers.get("authorization", "").encode()
        return self.token is not None and hmac.compare_digest(given, f"Bearer {self.token}".encode())

    async def _requests(self, request: Request) -> dict[str, Any]:
        after, limit = _number(request, "after", 0), min(_number(request, "limit", 1_000), _PAGE)
        now = self.reception.now()
        found = await self.reception.store.look(lambda conn: open_requests(conn, after, limit, now))
        return page(found, found[-1]["no"] if found else after)

    async def _answers(self, request: Request) -> dict[str, Any]:
        return await self._each(await _list_of(request, "auth_req_id"), self._answer)

    def _answer(self, conn: Connection, one: Mapping[str, Any], now: int) -> str:
        if one.get("decline") is True:
            citizen.decline(conn, one["auth_req_id"], now)
        else:
            citizen.answer(conn, one["auth_req_id"], one.get("answers"), self.desk, now)
        return "ok"

    async def _revise(self, request: Request) -> dict[str, Any]:
        return await self._each(await _list_of(request, "auth_req_id"), self._change)

    def _change(self, conn: Connection, one: Mapping[str, Any], now: int) -> str:
        citizen.revise(conn, one["auth_req_id"], one.get("answers"), self.desk, now)
        return "ok"

    async def _declare(self, request: Request) -> dict[str, Any]:
        return await self._each(await _list_of(request, "citizen_id"), self._declaration)

    def _declaration(self, conn: Connection, one: Mapping[str, Any], now: int) -> str:
        serial, address, behalf = (one.get(name) for name in _DECLARED)
        return citizen.declare(
            conn,
            one["citizen_id"],
            serial=serial or "",
            address=address or "",
            behalf=behalf,
            files=[],
            desk=self.desk,
            now=now,
        )

    async def _each(
        self, asked: list[dict[str, Any]], do: Callable[[Connection, Mapping[str, Any], int], str]
    ) -> dict[str, Any]:
        now = self.reception.now()
        results = await self.reception.store.run(lambda conn: [_tried(do, conn, one, now) for one in asked])
        return {"results": results}

    async def _accounts(self, request: Request) -> dict[str, Any]:
        levels = await _body(request)
        if not isinstance(levels, dict) or not all(_is_account(name, level) for name, level in levels.items()):
            raise _BadCallError("expected an object of 12-digit numbers with level 0, 1 or 2")
        await self.reception.store.run(lambda conn: provider.set_levels(conn, levels))
        return {"accounts": len(levels)}

    async def _faults(self, request: Request) -> dict[str, Any]:
        changes = await _body(request)
        if not isinstance(changes, dict):
            raise _BadCallError("expected an object of knobs")
        self.reception.faults.turn(changes)
        return self.reception.faults.settings.model_dump(mode="json")

    async def _service(self, request: Request) -> dict[str, Any]:
        body = await _body(request)
        if not isinstance(body, dict) or not isinstance(body.get("url"), str):
            raise _BadCallError("expected an object with url")
        refuse_unsafe(body["url"])
        self.outbox.line.url = body["url"].rstrip("/")
        return {"url": self.outbox.line.url}

    async def _state(self, _request: Request) -> dict[str, Any]:
        tables_ = await self.reception.store.look(table_counts)
        return {
            **tables_,
            "commits": self.reception.store.commits,
            "messages": dict(self.reception.counts),
            "sent": dict(self.outbox.counts),
            "faults": dict(self.reception.faults.struck),
        }


def page(requests: list[Any], following: int) -> dict[str, Any]:
    """A part of the list, and where to go on."""
    return {"requests": requests, "next": following}


def open_requests(conn: Connection, after: int, limit: int, now: int) -> list[dict[str, Any]]:
    """The open requests after `after`."""
    columns = tables.requests.c
    waiting = (columns.no > after) & (columns.state == provider.OPEN) & (columns.expires_at > now)
    rows = conn.execute(select(tables.requests).where(waiting).order_by(columns.no).limit(limit)).all()
    return [
        {
            "no": row.no,
            "auth_req_id": row.auth_req_id,
            "question_id": row.question_id,
            "attempt": row.attempt,
            "citizen_id": row.citizen_id,
            "binding_message": row.binding_message,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "items": json.loads(row.ask)["items"],
        }
        for row in rows
    ]


def table_counts(conn: Connection) -> dict[str, Any]:
    """How many of what."""
    states = conn.execute(select(tables.requests.c.state, func.count()).group_by(tables.requests.c.state)).all()
    waiting = conn.execute(select(tables.outbox.c.kind, func.count()).group_by(tables.outbox.c.kind)).all()
    counted = {
        name: conn.execute(select(func.count()).select_from(table)).scalar_one()
        for name, table in (
            ("replies", tables.replies),
            ("revisions", tables.revisions),
            ("declarations", tables.declarations),
        )
    }
    fetched = select(func.count()).where(tables.requests.c.fetched_at.is_not(None))
    return {
        "requests": {state: number for state, number in states},  # noqa: C416 - rows, not pairs
        "outbox": {kind: number for kind, number in waiting},  # noqa: C416
        "fetched": conn.execute(fetched).scalar_one(),
        **counted,
    }


def _tried(
    do: Callable[[Connection, Mapping[str, Any], int], str], conn: Connection, one: Mapping[str, Any], now: int
) -> str:
    """One of a list: every check of it comes before its first write, so that a refusal leaves nothing behind."""
    try:
        return do(conn, one, now)
    except NotOpenError as error:
        return error.code
    except AnswerError as error:
        return f"answer: {', '.join(sorted({fault.code for fault in error.faults}))}"
    except InvalidPayload as error:
        return f"invalid: {error.detail}"


def _is_account(name: Any, level: Any) -> bool:
    return len(name) == 12 and name.isascii() and name.isdigit() and level in {0, 1, 2}


def _number(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _BadCallError(f"{name}: expected a number")
    return int(text) if text else default


async def _list_of(request: Request, named: str) -> list[dict[str, Any]]:
    body = await _body(request)
    if not isinstance(body, list) or not all(isinstance(one, dict) and isinstance(one.get(named), str) for one in body):
        raise _BadCallError(f"expected a list of objects with {named}")
    return body


async def _body(request: Request) -> Any:
    """Any JSON value, read as strictly as a message: in an object of its own, since only those are known there."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_BODY:
            raise _BadCallError("expected a shorter body; send it in parts")
    try:
        return strict_json.parse(b'{"body":' + bytes(body) + b"}")["body"]
    except (strict_json.NotStrictError, LookupError) as error:
        raise _BadCallError("expected JSON") from error
