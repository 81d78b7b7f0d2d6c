"""What the identity provider's HTTP answer to a message means (protocol §3, §5). No database, no network.

Rules
- `/bc-authorize`: 200 with the JSON of the protocol is taken; 400 with one of its three errors refuses; both are
  `application/json`, read as strictly as a sealed message.
- `/token` and `/cancel`: 200 is a sealed answer, opened with all checks of section 2 against the peer that was asked;
  at `/token`, 400 with JSON is an error that steers the polling.
- No answer, 429, 5xx and an answer that fails a check are tried again; anything else to an ask or a cancel is a dead
  letter at once. A fetch is never given up.

Example: `Reader(own, provider, clock).result(outgoing, answer)` is an `AskTaken`, a `Reply`, a `Failed`, ….
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from confirm_api import outbox
from confirm_api.service.results import AskError, AskTaken, CancelTaken, Failed, FetchError, Reply, Result
from confirm_api.service.sending import LANDFETCH, Outgoing
from confirm_api.service.world import LANDASK
from exchange import payloads
from exchange.errors import InvalidPayload, Refused
from exchange.kinds import JSON_TYPE, KINDS, VNEID
from exchange.sealed.keys import Directory, Own, Peer
from exchange.sealed.open import Opened, open_sealed
from exchange.transport import HttpAnswer

NO_ANSWER: Final = "no-answer"
UNUSABLE: Final = "answer"


@dataclass(frozen=True)
class Reader:
    """Reads the answers of the one peer that was asked."""

    own: Own
    provider: Peer
    clock: Callable[[], int]
    directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        """Know nobody else: another peer's signature is as good as none."""
        object.__setattr__(self, "directory", Directory([self.provider]))

    def result(self, outgoing: Outgoing, answer: HttpAnswer) -> Result:
        """What came of a message."""
        meaning = outbox.meaning(answer.status)
        if meaning == "answer":
            return self._answer(outgoing, answer)
        if meaning == "error":
            return self._error(outgoing, answer)
        code = f"status-{answer.status}"
        return Failed(outgoing.link, code, answer.retry_after, final=meaning == "final")

    def _answer(self, outgoing: Outgoing, answer: HttpAnswer) -> Result:
        if outgoing.link.typ != LANDASK:
            return self._sealed(outgoing, answer)
        taken = _json(payloads.AskAnswer, answer)
        return Failed(outgoing.link, UNUSABLE, answer.retry_after) if taken is None else AskTaken(outgoing.link, taken)

    def _error(self, outgoing: Outgoing, answer: HttpAnswer) -> Result:
        link = outgoing.link
        if link.typ == LANDFETCH:
            error = _json(payloads.TokenError, answer)
            return Failed(link, UNUSABLE, answer.retry_after) if error is None else FetchError(link, error.error)
        refusal = _json(payloads.AskError, answer) if link.typ == LANDASK else None
        if refusal is None or refusal.error not in outbox.ASK_ERRORS:
            return Failed(link, "status-400", final=True)
        return AskError(link, refusal.error)

    def _sealed(self, outgoing: Outgoing, answer: HttpAnswer) -> Result:
        link, typ = outgoing.link, str(KINDS[outgoing.link.typ].answer)
        try:
            opened = self._opened(outgoing, answer, typ)  # (1) to (13)
        except Refused as refused:
            check = str(refused.check) if refused.check else refused.reason
            sha256 = hashlib.sha256(answer.body).hexdigest()
            return Failed(link, UNUSABLE, answer.retry_after, sealed=sha256, check=check)
        try:
            model = payloads.parse(typ, opened.payload)  # (15); (14) is the store's
        except InvalidPayload:
            return Failed(link, UNUSABLE, answer.retry_after, check="15", opened=opened)
        if link.typ == LANDFETCH:
            return Reply(link, opened, model)
        if model.auth_req_id != link.auth_req_id:
            return Failed(link, UNUSABLE, answer.retry_after, check="auth-req-id", opened=opened)
        return CancelTaken(link, opened)

    def _opened(self, outgoing: Outgoing, answer: HttpAnswer, typ: str) -> Opened:
        return open_sealed(
            answer.body,
            typ=typ,
            own=self.own,
            directory=self.directory,
            roles=(VNEID,),
            now=self.clock(),
            re=outgoing.sealed.jti,
            suite=self.provider.suite,
            content_type=answer.content_type,
            content_encoding=answer.content_encoding,
        )


def _json(model: Any, answer: HttpAnswer) -> Any:
    """The JSON of an unsealed answer, or None where it is not what it should be."""
    if (answer.content_type or "").lower() != JSON_TYPE or answer.content_encoding is not None:
        return None
    try:
        return payloads.parse_json(model, answer.body)
    except InvalidPayload:
        return None
