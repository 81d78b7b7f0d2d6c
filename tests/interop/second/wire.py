"""Plain HTTP, one connection a request, with a stopwatch.

Rules
- Redirects are not followed; nothing is retried here but 429 and 503, which by the protocol spend nothing.
- `seconds` runs from before the first byte is sent, so a lower bound measured with it errs on the strict side only by
  the time of sending.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

PATIENCE_SECONDS: Final = 30
UNACCEPTABLE: Final = b'{"type":"urn:quychu:problem:unacceptable-message","title":"Unacceptable message","status":400}'


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    seconds: float

    @property
    def media_type(self) -> str:
        """The Content-Type as it stands."""
        return self.headers.get("content-type", "")

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def post(url: str, body: bytes, headers: dict[str, str]) -> Answer:
    """One POST; 429 and 503 are waited out, as `Retry-After` says, three times."""
    for _ in range(3):
        answer = request("POST", url, body, headers)
        if answer.status not in {429, 503}:
            return answer
        time.sleep(min(int(answer.headers["retry-after"]), PATIENCE_SECONDS))
    return request("POST", url, body, headers)


def post_in_chunks(url: str, chunks: Iterable[bytes], content_type: str) -> Answer:
    """One POST without Content-Length."""
    headers = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
    return request("POST", url, chunks, headers)


def get(url: str) -> Answer:
    """One GET."""
    return request("GET", url, None, {})


def request(method: str, url: str, body: bytes | Iterable[bytes] | None, headers: dict[str, str]) -> Answer:
    """One exchange on a connection of its own."""
    place = urlsplit(url)
    kind = http.client.HTTPSConnection if place.scheme == "https" else http.client.HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=PATIENCE_SECONDS)
    target = place.path + (f"?{place.query}" if place.query else "")
    began = time.monotonic()
    try:
        is_chunked = "Transfer-Encoding" in headers
        connection.request(method, target, body=body, headers=headers, encode_chunked=is_chunked)
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, content, time.monotonic() - began)
