"""The front door: what happens to every request before and after its route.

Rules
- The address is counted before anything is read; health and metrics are not counted, so that they answer under attack.
- During the pause after a restore no message is taken; keys, log and health answer (protocol §5: 70 s).
- One access line and one time for each request, by its route and never by its path: a path may hold anything. Of the
  lines of successful requests a share may be left out.
- A message goes straight to its endpoint: its way through FastAPI's routes would cost as much as the work itself.
- A fault is told by its class and place; its text may hold anything, so nobody gets it.
- Headers beyond `HEADER_BYTES` are refused; `serve.Http` ends a connection that sends more before it is done.

Example: `Front(app, {}, Rates().address, proxies=(), metrics=Metrics())` is an ASGI application.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from confirm_api import logs, problems
from confirm_api.limits import Limiter, Network, Rate, address_of
from confirm_api.metrics import Metrics
from confirm_api.routes.messages import Endpoint

HEADER_BYTES = 32_768
"""Of all headers; a message has a few hundred."""
_UNCOUNTED = ("/health/", "/metrics")
_MESSAGES = "POST"


class Front:
    """The outermost ASGI application."""

    def __init__(  # noqa: PLR0913 - each is a fact of the settings
        self,
        app: ASGIApp,
        taking: Mapping[str, Endpoint],
        rate: Rate,
        proxies: Sequence[Network],
        metrics: Metrics,
        *,
        paused_until: float = 0.0,
        sampling: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._taking, self._metrics = app, taking, metrics
        self._address = lru_cache(4_096)(partial(address_of, trusted=tuple(proxies)))
        self._limiter = Limiter(rate, clock=monotonic)
        self._paused_until, self._monotonic, self._sampling = paused_until, monotonic, sampling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or pass on what is none."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            app = self._refusal(scope) or await self._taken(scope, receive) or self._app
            await app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001 - told here, without its text; the connection stays good
            logs.get().error("fault", **logs.of_error(error))
            if not status:
                await problems.internal()(scope, receive, noting)
        self._tell(scope, status, time.perf_counter() - began)

    async def _taken(self, scope: Scope, receive: Receive) -> ASGIApp | None:
        """The answer to a message; None where the request is none."""
        endpoint = self._taking.get(scope["path"]) if scope["method"] == _MESSAGES else None
        return await endpoint(Request(scope, receive)) if endpoint else None

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        # some proxies add a line of their own: the last line is theirs, so all of them are one list
        client, forwarded = scope.get("client"), ",".join(Headers(scope=scope).getlist("x-forwarded-for"))
        address = scope["quychu.address"] = self._address(client and client[0], forwarded)
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_BYTES:
            return problems.problem("headers-too-large", "Request header fields too large", 431)
        if scope["path"].startswith(_UNCOUNTED):
            return None
        if wait := self._limiter.take(address):
            return self._later(429, wait)
        pause = self._paused_until - self._monotonic()
        return self._later(503, pause) if pause > 0 and scope["method"] == _MESSAGES else None

    def _later(self, status: int, seconds: float) -> ASGIApp:
        self._metrics.limited(status)
        return problems.try_later(status, seconds)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        path = scope["path"]
        route = path if path in self._taking else getattr(scope.get("route"), "path", "none")
        self._metrics.request(route, status, seconds)
        if status < 400 and random.random() >= self._sampling:  # noqa: S311 - which lines are left out is no secret
            return
        logs.get().info("request", method=scope["method"], route=route, status=status, seconds=round(seconds, 4))
