"""The loop that lets simulated citizens answer: it asks the driver API what is open and a callable what they say.

Rules
- It talks HTTP alone, so it may run in another process; who the citizens are is the caller's matter.
- `decide(request)` gives a list of answers `{item_id, verdict, challenge_response?, corrections?}`, `DECLINE`, or None
  for a citizen who does not answer (now; `again` asks about those once more).
- Requests are taken in the order they came and answered in bulk: one call a page.

>>> say_mine = lambda request: [{"item_id": item["item_id"], "verdict": "mine"} for item in request["items"]]
>>> spoken({"auth_req_id": "a", "items": [{"item_id": "b"}]}, say_mine)
{'auth_req_id': 'a', 'answers': [{'item_id': 'b', 'verdict': 'mine'}]}
>>> spoken({"auth_req_id": "a", "items": []}, lambda request: DECLINE)
{'auth_req_id': 'a', 'decline': True}
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Self
from urllib.parse import urlsplit

from confirm_api.vneid_sim.errors import SimulatorError

DECLINE: Final = "decline"
Decide = Callable[[Mapping[str, Any]], Sequence[Mapping[str, Any]] | str | None]

_PAGE = 1_000
_SECONDS = 60
_IDLE_SECONDS = 2
_OK = 200


class DriverError(SimulatorError):
    """The driver API did not do what it was asked."""

    code = "driver"


class DriverClient:
    """The driver API from outside, on one kept connection."""

    def __init__(self, url: str, token: str) -> None:
        self.after = 0
        """Where to go on."""
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        self._connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_SECONDS)
        self._used_at = time.monotonic()

    @classmethod
    def of_ready_file(cls, text: str) -> Self:
        """The client for what `quychu vneid-sim --ready-file` wrote."""
        ready = json.loads(text)
        return cls(ready["url"], ready["driver_token"])

    def call(self, name: str, body: Any = None) -> Any:
        """One call of the table in driver_api.py."""
        content = None if body is None else json.dumps(body).encode()
        if time.monotonic() - self._used_at > _IDLE_SECONDS:
            self._connection.close()  # the server may be about to, and a call is never made twice
        self._used_at = time.monotonic()
        try:
            self._connection.request("GET" if body is None else "POST", f"/driver/{name}", content, self._headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise DriverError(f"driver/{name.partition('?')[0]}: no answer ({type(error).__name__})") from error
        if answer.status != _OK:
            raise DriverError(f"driver/{name.partition('?')[0]}: expected 200, found {answer.status}")
        return json.loads(text)

    def open_requests(self, limit: int = _PAGE) -> list[dict[str, Any]]:
        """The next requests that nobody has looked at."""
        found = self.call(f"requests?after={self.after}&limit={limit}")
        self.after = found["next"]
        requests: list[dict[str, Any]] = found["requests"]
        return requests

    def answer(self, spoken: Sequence[Mapping[str, Any]]) -> list[str]:
        """Answer in bulk; `ok` or why not, one for each."""
        results: list[str] = self.call("answers", list(spoken))["results"] if spoken else []
        return results

    def state(self) -> dict[str, Any]:
        """The counters."""
        found: dict[str, Any] = self.call("state")
        return found


def spoken(request: Mapping[str, Any], decide: Decide) -> dict[str, Any] | None:
    """What the citizen of `request` says, as the driver API takes it."""
    said = decide(request)
    if said is None:
        return None
    named = {"auth_req_id": request["auth_req_id"]}
    return {**named, "decline": True} if isinstance(said, str) else {**named, "answers": list(said)}


def step(client: DriverClient, decide: Decide) -> int:
    """One page of requests, looked at and answered; how many there were."""
    requests = client.open_requests()
    client.answer([said for request in requests if (said := spoken(request, decide)) is not None])
    return len(requests)


def run(client: DriverClient, decide: Decide, *, until: Callable[[], bool], pause_seconds: float = 0.1) -> int:
    """Answer as requests come until told to end; how many were looked at."""
    looked_at = 0
    while not until():
        found = step(client, decide)
        looked_at += found
        if not found:
            time.sleep(pause_seconds)
    return looked_at
