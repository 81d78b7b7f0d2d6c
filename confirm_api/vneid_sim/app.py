"""The simulator put together: create_app() is one screen.

Rules
- Every endpoint of the provider is `Reception.take` around one function of `provider.py`.
- `/attachments/{declaration_id}/{sha256}` gives an officer the bytes of a declaration: both parts are known only to the
  citizen's app and the service, the first is random, so the address is a capability. It is never shown to a script.
- Old messages, sessions and drafts are swept once a minute.

Example: `create_app(settings)` under uvicorn; `quychu vneid-sim --config FILE` does it.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, update
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from confirm_api.vneid_sim import provider, tables
from confirm_api.vneid_sim.driver_api import Driver
from confirm_api.vneid_sim.errors import BusyError, SettingsError
from confirm_api.vneid_sim.faults import Faults
from confirm_api.vneid_sim.outbox import Line, Outbox
from confirm_api.vneid_sim.pages.routes import Pages
from confirm_api.vneid_sim.pages.visits import Door
from confirm_api.vneid_sim.provider import AskTaken, Desk, Pace, TokenError
from confirm_api.vneid_sim.reception import Buckets, Outcome, Reception
from confirm_api.vneid_sim.settings import Settings, driver_token
from confirm_api.vneid_sim.store import Store
from exchange.errors import KeyFileError, UnsafeUrlError
from exchange.kinds import JWKS_PATH, JWKS_TYPE, SERVICE
from exchange.sealed.keys import Directory, JwkSet, KeySet, Own, Peer
from exchange.sealed.open import Opened
from exchange.transport import Client, refuse_unsafe

_SWEEP_SECONDS = 60
_SEEN_SECONDS = 25 * 3_600
"""A `jti` is refused for 24 h; an hour more for clocks that differ."""


@dataclass
class Simulator:
    """Everything one process holds."""

    settings: Settings
    own: Own
    store: Store
    desk: Desk
    reception: Reception
    outbox: Outbox
    pace: Pace

    # ── the provider's endpoints ─────────────────────────────────────────────────────────────────────────────────────

    async def bc_authorize(self, request: Request) -> Response:
        """`landask`."""
        named: list[str] = []

        def handle(conn: Connection, message: Mapping[str, Any], opened: Opened, now: int) -> Outcome:
            return provider.ask(conn, message, opened.jti, self.desk, now)

        def after(_message: Mapping[str, Any], outcome: Outcome) -> Outcome:
            if isinstance(outcome, AskTaken):
                named.append(outcome.auth_req_id)
                self.outbox.unanswered.add(outcome.auth_req_id)
            return outcome

        response = await self.reception.take(request, "landask+jwt", handle, after)
        response.background = BackgroundTask(self._asked, named)
        return response

    async def _asked(self, named: list[str]) -> None:
        """The answer has left: pings may follow."""
        self.outbox.unanswered.difference_update(named)
        self.outbox.wake()

    async def token(self, request: Request) -> Response:
        """`landfetch`."""

        def handle(conn: Connection, message: Mapping[str, Any], _opened: Opened, now: int) -> Outcome:
            return provider.token(conn, message["auth_req_id"], self.desk, now)

        def after(message: Mapping[str, Any], outcome: Outcome) -> Outcome:
            auth_req_id = message.get("auth_req_id", "")
            if outcome == TokenError("authorization_pending"):
                early = self.pace.too_fast(auth_req_id, time.monotonic())
                return TokenError("slow_down") if early else outcome
            self.pace.forget(auth_req_id)
            return outcome

        return await self.reception.take(request, "landfetch+jwt", handle, after)

    async def cancel(self, request: Request) -> Response:
        """`landcancel`."""

        def handle(conn: Connection, message: Mapping[str, Any], _opened: Opened, now: int) -> Outcome:
            return provider.cancel(conn, message, now)

        return await self.reception.take(request, "landcancel+jwt", handle)

    async def jwks(self, _request: Request) -> Response:
        """Our public keys."""
        return Response(
            self.own.keys.public().to_json(), headers={"cache-control": "max-age=300"}, media_type=JWKS_TYPE
        )

    async def health(self, _request: Request) -> Response:
        """Whether the database answers."""
        try:
            await self.store.look(lambda conn: conn.exec_driver_sql("SELECT 1").scalar_one())
        except BusyError:
            return Response(status_code=503)
        return Response("ok\n", media_type="text/plain")

    async def attachment(self, request: Request) -> Response:
        """The bytes of an attachment, for the officer."""
        ids = request.path_params
        found = await self.store.look(lambda conn: attached(conn, ids["declaration_id"], ids["sha256"]))
        if found is None:
            return Response(status_code=404)
        headers = {
            "content-disposition": "attachment",
            "content-security-policy": "sandbox; default-src 'none'",
            "x-content-type-options": "nosniff",
            "cache-control": "no-store",
            "referrer-policy": "no-referrer",
        }
        return Response(found[1], headers=headers, media_type=found[0])

    # ── its life ─────────────────────────────────────────────────────────────────────────────────────────────────────

    @contextlib.asynccontextmanager
    async def life(self, _app: Starlette) -> AsyncIterator[None]:
        """Send and sweep while the server runs."""
        self.outbox.start()
        sweeping = asyncio.create_task(self._sweep_for_ever())
        yield
        sweeping.cancel()
        await asyncio.to_thread(self.outbox.close)
        await asyncio.to_thread(self.store.close)

    async def _sweep_for_ever(self) -> None:
        while True:
            with contextlib.suppress(BusyError):
                await self.store.run(lambda conn: sweep(conn, self.reception.now()))
            await asyncio.sleep(_SWEEP_SECONDS)


def create_app(settings: Settings, *, clock: Callable[[], float] = time.time) -> Starlette:
    """The simulator as an application; its parts stand in `app.state.simulator`."""
    own, directory = _parties(settings)
    token = driver_token(settings.driver)
    store = Store(settings.database)
    store.submit(lambda conn: provider.set_levels(conn, provider.listed_levels(settings.accounts))).result()
    desk = Desk(settings.provider, settings.accounts.default_level, secrets.token_bytes)
    faults, limits = Faults(settings.faults), settings.limits
    reception = Reception(store, own, directory, faults, clock, Buckets(limits.per_address), Buckets(limits.per_peer))
    line = Line(own, directory, settings.service.url.rstrip("/"), reception.now, Client())
    outbox = Outbox(store, line, faults, settings.outbox, clock)
    sim = Simulator(settings, own, store, desk, reception, outbox, Pace(settings.provider.interval_seconds))
    pages = Pages(settings, store, desk, outbox, Door(settings, store, reception.now))
    app = Starlette(
        routes=[
            Route("/bc-authorize", sim.bc_authorize, methods=["POST"]),
            Route("/token", sim.token, methods=["POST"]),
            Route("/cancel", sim.cancel, methods=["POST"]),
            Route(JWKS_PATH, sim.jwks),
            Route("/health", sim.health),
            Route("/attachments/{declaration_id}/{sha256}", sim.attachment),
            *Driver(reception, outbox, desk, token).routes(),
            *pages.routes(),
        ],
        lifespan=sim.life,
    )
    app.state.simulator = sim
    return app


def _parties(settings: Settings) -> tuple[Own, Directory]:
    try:
        refuse_unsafe(settings.service.url)
        own = Own(settings.iss, KeySet.load(settings.keys))
        service = settings.service
        peer = Peer("service", SERVICE, service.iss, JwkSet.load(service.jwks), service.suite, service.url)
        return own, Directory([peer])
    except (KeyFileError, UnsafeUrlError) as error:
        raise SettingsError(str(error)) from error


def attached(conn: Connection, declaration_id: str, sha256: str) -> tuple[str, bytes] | None:
    """Media type and bytes of a file, where that declaration has it."""
    declared = select(tables.declarations.c.content).where(tables.declarations.c.declaration_id == declaration_id)
    content = conn.execute(declared).scalar()
    if content is None or f'"sha256":"{sha256}"' not in content or len(sha256) != 64:
        return None
    row = conn.execute(select(tables.attachments).where(tables.attachments.c.sha256 == sha256)).one()
    return row.media_type, row.content


def sweep(conn: Connection, now: int) -> None:
    """Forget what is no longer needed: spent message ids, ended sessions, drafts and tokens of what is over."""
    conn.execute(delete(tables.seen_messages).where(tables.seen_messages.c.seen_at < now - _SEEN_SECONDS))
    conn.execute(delete(tables.sessions).where(tables.sessions.c.ends_at < now))
    over = tables.requests.c.expires_at < now - 8 * 86_400
    conn.execute(update(tables.requests).where(over, tables.requests.c.token.is_not(None)).values(token=None))
    conn.execute(delete(tables.drafts).where(tables.drafts.c.opened_at < now - 86_400))
