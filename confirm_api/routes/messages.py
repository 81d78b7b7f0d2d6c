"""The endpoints of the protocol: each names the kind it takes and the use case behind it, the reception does the rest.

Rules
- A sealed endpoint takes and gives `application/jose`; OpenAPI cannot look inside, so the operation's `x-sealed` holds
  the `typ`, the roles and the JSON Schemas of payload and answer. A client that can seal finds all it needs there.
- The ping is the one message in plain JSON.

>>> sorted(UseCases.__annotations__)[:2]
['accept_questions', 'callback']
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from confirm_api.problems import Problem
from confirm_api.reception import Callback, Reception, UseCase
from exchange.kinds import CALLBACK_PATH, JSON_TYPE, KINDS, PROBLEM_TYPE, SEALED_TYPE, Kind, kind_at
from exchange.payloads import MODELS
from exchange.payloads import Callback as Ping

Endpoint = Callable[[Request], Awaitable[Response]]
_COMPACT = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){4}$"
_PROBLEM = {"model": Problem, "content": {PROBLEM_TYPE: {}}}
_LATER = _PROBLEM | {"headers": {"Retry-After": {"schema": {"type": "integer"}, "required": True}}}


@dataclass(frozen=True)
class UseCases:
    """What the service does with each message."""

    accept_questions: UseCase
    withdraw: UseCase
    collect: UseCase
    revise: UseCase
    declare: UseCase
    residence: UseCase
    callback: Callback

    def by_typ(self) -> dict[str, UseCase]:
        """The use case behind each kind we receive."""
        return {
            "landquestions+jwt": self.accept_questions,
            "landwithdraw+jwt": self.withdraw,
            "landcollect+jwt": self.collect,
            "landrevise+jwt": self.revise,
            "landdecl+jwt": self.declare,
            "residence+jwt": self.residence,
        }


def endpoints(reception: Reception, use_cases: UseCases) -> dict[str, Endpoint]:
    """What takes a POST, by its path."""
    sealed = {KINDS[typ].path: _endpoint(reception, KINDS[typ], act) for typ, act in use_cases.by_typ().items()}

    async def ping(request: Request) -> Response:
        return await reception.callback(request, use_cases.callback)

    return sealed | {CALLBACK_PATH: ping}


def router(taking: dict[str, Endpoint]) -> APIRouter:
    """The same as routes: for the OpenAPI document, and for whoever comes with another method."""
    routes = APIRouter(tags=["messages"])
    for path in sorted(taking.keys() - {CALLBACK_PATH}):
        kind = kind_at(path)
        routes.post(
            kind.path,
            operation_id=kind.event,
            summary=f"Take one sealed {kind.typ}, answer a sealed {kind.answer}",
            response_class=Response,
            responses=_sealed_responses(),
            openapi_extra=_sealed_request(kind),
        )(taking[path])
    routes.post(
        CALLBACK_PATH,
        operation_id="callback",
        summary="Take one ping of the identity provider",
        status_code=204,
        response_class=Response,
        responses={401: {"description": "Whatever is wrong with it; the body is empty"}, 429: _LATER, 503: _LATER},
        openapi_extra=_ping_request(),
    )(taking[CALLBACK_PATH])
    return routes


def _endpoint(reception: Reception, kind: Kind, use_case: UseCase) -> Endpoint:
    async def take(request: Request) -> Response:
        return await reception.sealed(request, kind, use_case)

    return take


def _sealed_request(kind: Kind) -> dict[str, Any]:
    answer = kind.answer or ""
    sealed = {
        "typ": kind.typ,
        "sender": kind.sender,
        "answer": answer,
        "payload": MODELS[kind.typ].model_json_schema(),
        "answer_payload": MODELS[answer].model_json_schema(),
    }
    content = {SEALED_TYPE: {"schema": {"type": "string", "pattern": _COMPACT, "maxLength": 262_144}}}
    return {"requestBody": {"required": True, "content": content}, "x-sealed": sealed}


def _sealed_responses() -> dict[int | str, dict[str, Any]]:
    answer = {"schema": {"type": "string", "pattern": _COMPACT}}
    return {
        200: {"description": "The sealed answer", "content": {SEALED_TYPE: answer}},
        400: _PROBLEM | {"description": "Fails a check; the same bytes whichever it is"},
        422: _PROBLEM | {"description": "The payload does not fit; `detail` says why"},
        429: _LATER | {"description": "Too many"},
        503: _LATER | {"description": "Not now"},
    }


def _ping_request() -> dict[str, Any]:
    content = {JSON_TYPE: {"schema": Ping.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}, "security": [{"notification_token": []}]}
