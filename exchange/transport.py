"""One POST, and what came back: the one door to the HTTP library.

Rules
- https, or plain HTTP to loopback; TLS 1.2 or later with the system's roots, or those of a file in the settings.
- No redirect is followed, nothing is retried, no proxy of the environment is used, no body is decompressed.
- An answer's body is bounded in bytes and the whole exchange in time, also against a peer that drips.
- Anything short of a complete answer is `NoAnswer`: the peer may or may not have taken the message.
- Connections are kept and used again; a `Client` may be shared by threads.

urllib3, because it takes half the processor time of httpx for a small POST on a kept connection (0.28 ms against 0.58).

>>> refuse_unsafe("http://127.0.0.1:8443/v1/questions")
>>> refuse_unsafe("http://vneid.example/token")
Traceback (most recent call last):
    ...
exchange.errors.UnsafeUrlError: expected https, or plain http to loopback, with a host and without a user in it; ...
"""

from __future__ import annotations

import http.client
import ipaddress
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, urlsplit

import urllib3

from exchange.errors import NoAnswer, UnsafeUrlError
from exchange.sealed.suites import MAX_BODY_BYTES

CONNECT_SECONDS = 5.0
READ_SECONDS = 20.0
TOTAL_SECONDS = 30.0
KEPT_CONNECTIONS = 16
_CHUNK_BYTES = 65_536
_LONGEST_WAIT_SECONDS = 86_400


@dataclass(frozen=True)
class HttpAnswer:
    """A complete answer."""

    status: int
    content_type: str | None
    body: bytes
    retry_after: int | None
    """Seconds, where the peer said so."""
    content_encoding: str | None = None


class Client:
    """Kept connections with our limits."""

    def __init__(
        self, *, roots: Path | None = None, read_seconds: float = READ_SECONDS, total_seconds: float = TOTAL_SECONDS
    ) -> None:
        self._total_seconds = total_seconds
        self._pools = urllib3.PoolManager(
            maxsize=KEPT_CONNECTIONS,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            ssl_context=_tls(roots),
        )
        self._by_place: dict[tuple[str, str | None, int | None], urllib3.HTTPConnectionPool] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._by_place.clear()
        self._pools.clear()

    def _pool(self, scheme: str, host: str | None, port: int | None) -> urllib3.HTTPConnectionPool:
        """urllib3 looks its pools up by twenty settings; ours differ in the place alone."""
        place = (scheme, host, port)
        if place not in self._by_place:
            self._by_place[place] = self._pools.connection_from_host(host, port, scheme)
        return self._by_place[place]

    def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        """One exchange, read to its end."""
        refuse_unsafe(url)
        deadline = time.monotonic() + self._total_seconds
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            response = self._pool(parts.scheme, parts.hostname, parts.port).urlopen(
                method,
                target,
                body,
                dict(headers),
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            content = _bounded(response, deadline)
        except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as error:
            raise NoAnswer(f"no answer ({type(error).__name__})") from error
        found = response.headers
        return HttpAnswer(
            response.status,
            found.get("content-type"),
            content,
            _seconds(found.get("retry-after")),
            found.get("content-encoding"),
        )


def post(
    client: Client, url: str, body: bytes, *, content_type: str, headers: Mapping[str, str] | None = None
) -> HttpAnswer:
    """Sends `body` and gives the answer, whatever its status."""
    return client.request("POST", url, body, {"content-type": content_type, **(headers or {})})


def get(client: Client, url: str) -> HttpAnswer:
    """The document at `url`: keys, checkpoints and leaves need no authentication."""
    return client.request("GET", url, None, {})


def refuse_unsafe(url: str) -> None:
    """Only https leaves the machine."""
    try:
        parts = urlsplit(url)
        safe = _is_safe(parts)
    except ValueError:  # brackets that hold no address, a port that is no number
        safe = False
    if not safe:
        raise UnsafeUrlError(
            "expected https, or plain http to loopback, with a host and without a user in it; correct the peer's url."
        )


def _is_safe(parts: SplitResult) -> bool:
    host, port = parts.hostname or "", parts.port
    known = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))
    return known and host != "" and port != 0 and parts.username is None


@cache
def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _tls(roots: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=roots)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _bounded(response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
    """The body; a connection whose answer was not read to its end is closed, not used again."""
    body = bytearray()
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            _refuse_endless(len(body), deadline)
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return bytes(body)


def _refuse_endless(length: int, deadline: float) -> None:
    if length > MAX_BODY_BYTES:
        raise NoAnswer("no answer (longer than a message may be)")
    if time.monotonic() > deadline:
        raise NoAnswer("no answer (took too long)")


def _seconds(text: str | None) -> int | None:
    """`Retry-After` in seconds; a date or a foolish number is no advice."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(int(text), _LONGEST_WAIT_SECONDS)
