"""For operators and peers: our public keys, whether we live and are ready, what there is to count.

Rules
- `live` says that the process answers, nothing else: whoever restarts on it shall not restart for a slow database.
- `ready` asks database, key store, disk and sequencer, and names what fails; a balancer sends no messages meanwhile.
- `/metrics` answers loopback only unless the settings open it, and never what came through a proxy.

>>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("192.0.2.1"), is_loopback(None)
(True, True, False, False)
"""

from __future__ import annotations

import ipaddress
import shutil
from collections.abc import Callable
from pathlib import Path

from fastapi import APIRouter, Request
from sqlalchemy import Engine, exc
from starlette.responses import JSONResponse, Response

from confirm_api import logs, problems
from confirm_api.audit.sequencer import Sequencer
from confirm_api.errors import ServiceError
from confirm_api.metrics import CONTENT_TYPE, Metrics, Watch
from confirm_api.reception import Busy
from confirm_api.store.engine import reading
from confirm_api.store.vault import Vault
from exchange.kinds import JWKS_PATH, JWKS_TYPE
from exchange.sealed.keys import Own

FREE_BYTES = 200_000_000
"""With less room on the disk no message is taken."""
LAG_SECONDS = 30
"""A sequencer that is further behind needs somebody's attention."""

Checks = dict[str, Callable[[], bool]]


def router(own: Own, checks: Checks, busy: Busy) -> APIRouter:
    """Keys and health."""
    routes = APIRouter(tags=["operations"])
    keys = own.keys.public().to_json()

    @routes.get(JWKS_PATH, summary="Our public keys", responses={200: {"content": {JWKS_TYPE: {}}}})
    async def jwks() -> Response:
        return Response(keys, media_type=JWKS_TYPE)

    @routes.get("/health/live", summary="Whether the process answers")
    async def live() -> Response:
        return JSONResponse({"status": "live"})

    @routes.get("/health/ready", summary="Whether messages are taken", responses={503: {"description": "Not now"}})
    async def ready() -> Response:
        found = await busy.run(lambda: {name: _holds(name, check) for name, check in checks.items()})
        good = all(found.values())
        told = {"status": "ready" if good else "not ready", "checks": found}
        return JSONResponse(told, 200 if good else 503)

    return routes


def metrics_router(metrics: Metrics, watch: Watch, busy: Busy, clock: Callable[[], int], *, to_all: bool) -> APIRouter:
    """What Prometheus asks for."""
    routes = APIRouter(tags=["operations"])

    @routes.get("/metrics", summary="Counters and gauges", responses={200: {"content": {"text/plain": {}}}})
    async def counted(request: Request) -> Response:
        proxied = "x-forwarded-for" in request.headers
        if not to_all and (proxied or not is_loopback(request.client and request.client.host)):
            return problems.not_found()
        text = await busy.run(lambda: metrics.text(watch.gauges(clock())))
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    return routes


def checks_of(engine: Engine, vault: Vault, sequencer: Sequencer, folder: Path) -> Checks:
    """What `ready` asks."""
    return {
        "database": lambda: _answers(engine),
        "key_store": lambda: not vault.citizens_of(["nobody"]),  # one look at the table
        "disk": lambda: shutil.disk_usage(folder).free > FREE_BYTES,
        "sequencer": lambda: sequencer.lag_seconds() < LAG_SECONDS,
    }


def _answers(engine: Engine) -> bool:
    with reading(engine) as conn:
        return bool(conn.exec_driver_sql("SELECT 1").scalar_one() == 1)


def _holds(name: str, check: Callable[[], bool]) -> bool:
    try:
        return check()
    except (exc.SQLAlchemyError, ServiceError, OSError) as error:
        logs.get().error("check failed", state=name, **logs.of_error(error))
        return False


def is_loopback(host: str | None) -> bool:
    """Whether an address is this machine's own."""
    try:
        return host is not None and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
