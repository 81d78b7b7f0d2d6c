"""One sealed message to the service and its sealed answer, tried until it is there or patience ends.

Rules (protocol §5)
- No answer, 429, 5xx and an answer that fails a check are tried again, with full jitter; `Retry-After` wins.
- Every try is sealed anew; a repetition is harmless by the ids inside.
- 400 and 422 are not tried again: the service will not change its mind. Their sentence names no value.

Example: `Channel(own, service, client).call("landcollect+jwt", {"after": None, "limit": 1000})["answers"]`.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.errors import NoAnswer, Refused
from exchange.kinds import KINDS
from exchange.sealed.keys import Directory, Own, Peer
from exchange.sealed.open import open_sealed
from exchange.sealed.seal import Sealed, seal
from exchange.transport import Client, HttpAnswer, post
from quychu.errors import ServiceSaidNoError

_LONGEST_WAIT_SECONDS = 30.0
_TRY_AGAIN = frozenset({429, *range(500, 600)})
_UNPROCESSABLE = 422


@dataclass
class Channel:
    """The way to one service."""

    own: Own
    service: Peer
    client: Client
    patience_seconds: float = 600.0
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    random: random.Random = field(default_factory=random.SystemRandom)

    def call(self, typ: str, content: Mapping[str, object]) -> dict[str, Any]:
        """Send `content` as a message of kind `typ`; the content of the answer."""
        kind = KINDS[typ]
        url = f"{self.service.url}{kind.path}"
        give_up, wait = self.clock() + self.patience_seconds, 1.0
        while True:
            answer, found = self._try(typ, kind.answer, url, content)
            if found is not None:
                return found
            pause = self._pause(answer, wait)
            if self.clock() + pause > give_up:
                raise ServiceSaidNoError(_no_answer(self.service.url or "", answer))
            self.sleep(pause)
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)

    def _try(
        self, typ: str, answer_typ: str | None, url: str, content: Mapping[str, object]
    ) -> tuple[HttpAnswer | None, dict[str, Any] | None]:
        sealed = seal(content, typ=typ, own=self.own, peer=self.service, now=int(self.clock()))
        try:
            answer = post(self.client, url, sealed.body, content_type="application/jose")
        except NoAnswer:
            return None, None
        if answer.status in _TRY_AGAIN:
            return answer, None
        if answer.status != 200:
            raise ServiceSaidNoError(_refusal(typ, answer))
        return answer, self._opened(sealed, answer_typ, answer)

    def _opened(self, sent: Sealed, typ: str | None, answer: HttpAnswer) -> dict[str, Any] | None:
        try:
            opened = open_sealed(
                answer.body,
                typ=typ or "",
                own=self.own,
                directory=Directory([self.service]),
                roles={self.service.role},
                now=int(self.clock()),
                re=sent.jti,
                suite=self.service.suite,
                content_type=answer.content_type,
                content_encoding=answer.content_encoding,
            )
        except Refused:
            return None  # an answer that fails a check is no answer
        return opened.payload

    def _pause(self, answer: HttpAnswer | None, wait: float) -> float:
        told = answer.retry_after if answer is not None else None
        return float(told) if told is not None else self.random.uniform(0, wait)


def _no_answer(url: str, answer: HttpAnswer | None) -> str:
    found = "none" if answer is None else f"status {answer.status}"
    return f"{url}: expected an answer of the confirmation service, found {found}; see that it runs, and try again."


def _refusal(typ: str, answer: HttpAnswer) -> str:
    kind = typ.removesuffix("+jwt")
    if answer.status == _UNPROCESSABLE:
        return f"{kind}: the service refuses the content ({_detail(answer.body)}); mend it and send it again."
    return (
        f"{kind}: the service refuses the message (status {answer.status}); "
        "see that both hold each other's public keys and that their clocks agree; the service's log has the reason."
    )


def _detail(body: bytes) -> str:
    try:
        detail = json.loads(body).get("detail")
    except (ValueError, AttributeError):
        return "no detail"
    return str(detail)[:300] if detail else "no detail"
