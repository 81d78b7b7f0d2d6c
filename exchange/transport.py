"""One POST, and what came back: the one door to the HTTP library.

Rules
- https, or plain HTTP to loopback; TLS 1.2 or later with the system's roots, or those of a file in the settings.
- No redirect is followed, nothing is retried, no proxy of the environment is used, no body is decompressed.
- An answer's body is bounded in bytes and the whole exchange in time, also against a peer that drips.
- Anything short of a complete answer is `NoAnswer`: the peer may or may not have taken the message.
- Connections are kept and used again; a `Client` may be shared by threads.

urllib3, because it costs a third of the processor time of httpx for one small POST on a kept connection.

>>> refuse_unsafe("http://127.0.0.1:8443/v1/questions")
>>> refuse_unsafe("http://vneid.example/token")
Traceback (most recent call last):
    ...
exchange.errors.UnsafeUrlError: expected https (plain http only to loopback), found http to another host; correct the peer's url.
"""

from __future__ import annotations

import ipaddress
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

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
        self.total_seconds = total_seconds
        self._pool = urllib3.PoolManager(
            maxsize=KEPT_CONNECTIONS,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=read_seconds),
            ssl_context=_tls(roots),
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def request(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> HttpAnswer:
        """One exchange, read to its end."""
        refuse_unsafe(url)
        deadline = time.monotonic() + self.total_seconds
        try:
            response = self._pool.request(
                method,
                url,
                body=body,
                headers=dict(headers),
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
            return HttpAnswer(
                response.status,
                response.headers.get("content-type"),
                _bounded(response, deadline),
                _seconds(response.headers.get("retry-after")),
                response.headers.get("content-encoding"),
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(f"no answer ({type(error).__name__})") from error


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
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if parts.scheme == "http" and _is_loopback(parts.hostname or ""):
        return
    raise UnsafeUrlError(
        f"expected https (plain http only to loopback), found {parts.scheme or 'no scheme'} to another host; "
        "correct the peer's url."
    )


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
    """The body, or `NoAnswer` where it is too long or takes too long; then the connection is not used again."""
    body = bytearray()
    try:
        while chunk := response.read1(_CHUNK_BYTES):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise NoAnswer("no answer (longer than a message may be)")
            if time.monotonic() > deadline:
                raise NoAnswer("no answer (took too long)")
    except BaseException:
        response.close()
        raise
    response.release_conn()
    return bytes(body)


def _seconds(text: str | None) -> int | None:
    """`Retry-After` in seconds; a date or a foolish number is no advice."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 9:
        return None
    return min(int(text), _LONGEST_WAIT_SECONDS)
