"""The service as one ASGI application: one screen.

Rules
- `create_app` takes everything it stands on and reads no settings, so that a test builds the same application.
- Background work (sequencer, worker) are functions of a stop event; each has a thread from start to orderly end.
- What no route knows, and what fails, is answered by a problem document.

Example: `uvicorn.run(create_app(deps))`; `confirm_api.serve` makes `deps` from the settings.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy import exc
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp

from confirm_api import problems
from confirm_api.audit.checkpoint import LogKey
from confirm_api.audit.sequencer import Sequencer
from confirm_api.errors import BusyError
from confirm_api.front import Front
from confirm_api.limits import Network, Rates
from confirm_api.metrics import Metrics, Watch
from confirm_api.reception import Busy, Reception
from confirm_api.routes import audit_log, messages, operations
from confirm_api.routes.messages import UseCases
from confirm_api.unit import Units
from exchange.sealed.keys import Directory, Own

STOP_SECONDS = 35
"""How long background work may take to end."""


@dataclass(frozen=True)
class Deps:
    """What the application stands on."""

    units: Units
    own: Own
    directory: Directory
    log_key: LogKey
    use_cases: UseCases
    folder: Path
    """Whose disk has to have room."""
    rates: Rates = field(default_factory=Rates)
    proxies: Sequence[Network] = ()
    threads: int = 8
    most_waiting: int = 64
    metrics_to_all: bool = False
    paused_until: float = 0.0
    """Of the monotonic clock: until then no message is taken."""
    sampling: float = 1.0
    """The share of the access lines of successful requests that is written."""
    routers: Sequence[APIRouter] = ()
    """Pages and whatever else belongs to the same server."""
    background: Sequence[Callable[[Event], None]] = ()


def create_app(deps: Deps) -> ASGIApp:
    """The application."""
    units, metrics, busy = deps.units, Metrics(), Busy(deps.threads, deps.most_waiting)
    sequencer = Sequencer(units.engine, deps.log_key, units.clock)
    reception = Reception(units, deps.own, deps.directory, metrics, busy, deps.rates)
    checks = operations.checks_of(units.engine, units.vault, sequencer, deps.folder)
    watch = Watch(units.engine)

    app = FastAPI(
        title="quychu confirmation service",
        version="1",
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        lifespan=_lifespan([*deps.background, sequencer.run], busy),
    )
    taking = messages.endpoints(reception, deps.use_cases)
    app.include_router(messages.router(taking))
    app.include_router(audit_log.router(units.engine, sequencer, busy))
    app.include_router(operations.router(deps.own, checks, busy))
    app.include_router(operations.metrics_router(metrics, watch, busy, units.clock, to_all=deps.metrics_to_all))
    for router in deps.routers:
        app.include_router(router)
    _answer_errors(app)
    pause, share = deps.paused_until, deps.sampling
    return Front(app, taking, deps.rates.address, deps.proxies, metrics, paused_until=pause, sampling=share)


def _lifespan(work: Sequence[Callable[[Event], None]], busy: Busy) -> Any:
    """Ends the work in its order, one after the other: the sequencer, which comes last, numbers what they leave."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        stops = [Event() for _ in work]
        threads = [
            Thread(target=run, args=(stop,), name=run.__qualname__, daemon=True)
            for run, stop in zip(work, stops, strict=True)
        ]
        for thread in threads:
            thread.start()
        yield
        busy.close()
        for thread, stop in zip(threads, stops, strict=True):
            stop.set()
            thread.join(STOP_SECONDS)

    return lifespan


def _answer_errors(app: FastAPI) -> None:
    @app.exception_handler(HTTPException)
    async def known(_request: Request, error: HTTPException) -> Response:
        told = {404: ("not-found", "Not found"), 405: ("method-not-allowed", "Method not allowed")}
        name, title = told.get(error.status_code, ("bad-request", "Bad request"))
        return problems.problem(name, title, error.status_code, headers=error.headers)

    @app.exception_handler(RequestValidationError)
    async def bad_query(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        return problems.bad_request(f"{first['loc'][-1]}: {first['msg']}")

    @app.exception_handler(BusyError)
    async def busy(_request: Request, error: BusyError) -> Response:
        return problems.try_later(error.status, error.retry_after_seconds)

    @app.exception_handler(exc.OperationalError)
    async def database(_request: Request, _error: exc.OperationalError) -> Response:
        return problems.try_later(503, 1)

    @app.exception_handler(Exception)
    async def fault(_request: Request, _error: Exception) -> Response:
        return problems.internal()
