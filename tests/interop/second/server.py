"""A small HTTP server in a thread, for whoever of us must listen.

Rules
- A handler gets path, headers and body, and gives a `Response` or None: None drops the connection without an answer.
- The unacceptable-message answer is the protocol's, byte for byte, and comes no earlier than 50 ms after the request
  was read.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.interop.second.envelope import LARGEST_BODY
from tests.interop.second.wire import UNACCEPTABLE

SLOWEST_REFUSAL: Final = 0.055


@dataclass(frozen=True)
class Response:
    """What goes back."""

    status: int
    media_type: str | None = None
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What came in; header names in lower case."""

    path: str
    headers: dict[str, str]
    body: bytes
    began: float


Handler = Callable[[Request], Response | None]


def plain(status: int, content: dict[str, Any]) -> Response:
    """Unsealed JSON."""
    return Response(status, "application/json", json.dumps(content).encode())


def unacceptable(request: Request) -> Response:
    """The one answer to whatever fails checks (1) to (14)."""
    time.sleep(max(0.0, SLOWEST_REFUSAL - (time.monotonic() - request.began)))
    return Response(400, "application/problem+json", UNACCEPTABLE)


def invalid(detail: str) -> Response:
    """The answer to a payload that fails check (15)."""
    problem = {
        "type": "urn:quychu:problem:invalid-payload",
        "title": "Invalid payload",
        "status": 422,
        "detail": detail,
    }
    return Response(422, "application/problem+json", json.dumps(problem).encode())


@contextlib.contextmanager
def listening(handler: Handler, port: int = 0) -> Iterator[str]:
    """Serve in a thread on loopback; gives the base URL."""
    server = ThreadingHTTPServer(("127.0.0.1", port), _handler_class(handler))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler_class(handler: Handler) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 60

        def do_GET(self) -> None:
            self.do_POST()

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            # One byte more than allowed is enough to refuse.
            is_chunked = "transfer-encoding" in self.headers
            body = self._chunks() if is_chunked else self.rfile.read(min(length, LARGEST_BODY + 1))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.close_connection = self.close_connection or length > LARGEST_BODY
            response = handler(Request(self.path, headers, body, time.monotonic()))
            if response is None:
                self.close_connection = True
                return
            self._send(response)

        def _chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        def _send(self, response: Response) -> None:
            self.send_response(response.status)
            if response.media_type is not None:
                self.send_header("Content-Type", response.media_type)
            for name, value in response.headers.items():
                self.send_header(name, value)
            if response.status != 204:
                self.send_header("Content-Length", str(len(response.body)))
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Answering
