"""A service without a network: the other side's answers are given by hand, time passes when told to.

Rules
- `Story` speaks to the real use cases on a real database; nothing of ours is replaced.
- What the worker would send is read from the tables, and what would come back is put into `take_results`.
- Times and ids are the test's own, so that a failure repeats itself.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update

from confirm_api import service
from confirm_api.service import results
from confirm_api.service.citizen_side import token_hash
from confirm_api.service.results import Link
from confirm_api.store.engine import reading
from confirm_api.store.tables import asks, attempts, deliveries, feed, items, questions
from confirm_api.unit import Units
from exchange import payloads
from exchange.ids import new_id
from exchange.payloads import MODELS, AskAnswer
from exchange.sealed.keys import KeySet, Peer
from exchange.sealed.open import Opened

PEER = Peer("engine", "engine", "urn:quychu:peer:engine", KeySet.generate(["vn-p256"]).public(), "vn-p256")
ACR = "urn:vneid:level:2"


def ident(name: str) -> str:
    """An id of the right form, told by a name."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]


def citizen(number: int) -> str:
    """A grown-up's number of 12 digits."""
    return f"045085{number:06d}"


def parcel(item: str, rank: int = 1, serial: str | None = "AD 266864", **more: Any) -> dict[str, Any]:
    """A parcel as the engine posts it."""
    return {
        "item_id": ident(item),
        "rank": rank,
        "parcel_code": "w7kz3n9qhx2p",
        "commune_name": "Xã Cam Lộ",
        "hamlet": "Thôn 3",
        "land_use_code": "ONT",
        "area_m2": 247.5,
        "certificate_serial": serial,
        "certificate_year": 2009,
        "co_owner_name": None,
        "role": "owner",
        **more,
    }


def question(name: str, who: int, *parcels: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A question as the engine posts it."""
    return {
        "question_id": ident(name),
        "citizen_id": citizen(who),
        "parcels": list(parcels) or [parcel(f"item of {name}")],
        "priority": 0.5,
        "expires_in": 86_400,
        **more,
    }


def said(item: str, verdict: str, response: str | None = None, corrections: Any = ()) -> dict[str, Any]:
    """What the citizen says of one item."""
    return {
        "item_id": ident(item),
        "verdict": verdict,
        "challenge_response": response,
        "corrections": list(corrections),
    }


@dataclass
class Story:
    """Posts, asks, answers."""

    units: Units
    clock: Any
    sequence: Any = None
    count: int = 0
    tokens: dict[int, str] = field(default_factory=dict)

    # ---- the engine ----

    def post(self, *posted: dict[str, Any]) -> dict[str, Any]:
        """The receipt of a batch."""
        self.count += 1
        payload = {"batch_id": ident(f"batch {self.count}"), "questions": list(posted)}
        return self._call(service.accept_questions, "landquestions+jwt", payload)

    def withdraw(self, *names: str) -> dict[str, Any]:
        """The receipt of a withdrawal."""
        self.count += 1
        payload = {
            "batch_id": ident(f"batch {self.count}"),
            "question_ids": [ident(name) for name in names],
            "reason": "no need",
        }
        return self._call(service.withdraw, "landwithdraw+jwt", payload)

    def collect(self, after: str | None = None, limit: int = 1000) -> dict[str, Any]:
        """The entries, numbered first as the sequencer does."""
        self.number()
        return self._call(service.collect, "landcollect+jwt", {"after": after, "limit": limit})

    def number(self) -> None:
        """Give positions to new entries."""
        with self.units.begin() as unit:
            top = unit.conn.execute(select(feed.c.position).order_by(feed.c.position.desc().nulls_last())).first()
            place = (top.position if top else None) or 0
            for no in unit.conn.execute(select(feed.c.no).where(feed.c.position.is_(None)).order_by(feed.c.no)):
                place += 1
                unit.conn.execute(update(feed).where(feed.c.no == no.no).values(position=place))

    # ---- the provider ----

    def revise(
        self, name: str, *answers: dict[str, Any], attempt: int = 1, who: int | None = None, at: int | None = None
    ):
        """The receipt of a revision of the answer to an attempt."""
        row = self.attempt(name, attempt)
        payload = {
            "revises": row.auth_req_id,
            "sub": self._sub(row) if who is None else citizen(who),
            "acr": ACR,
            "answers": list(answers),
            "answered_at": self.clock() if at is None else at,
        }
        return self._call(service.revise, "landrevise+jwt", payload)

    def declare(self, name: str, who: int, **more: Any) -> dict[str, Any]:
        """The receipt of a declaration."""
        payload = {
            "declaration_id": ident(name),
            "sub": citizen(who),
            "acr": ACR,
            "certificate_serial": "AD 266864",
            "parcel_address": None,
            "on_behalf_of": None,
            "attachments": [],
            **more,
        }
        return self._call(service.declare, "landdecl+jwt", payload)

    def taken(self, name: str, *, expires_in: int | None = None, interval: int = 5) -> str:
        """The provider takes the ask of the open attempt; its `auth_req_id`."""
        row = self.attempt(name)
        auth_req_id = ident(f"request {row.no}")
        question_row = self.row(name)
        left = question_row.expires_at - self.clock()
        answer = AskAnswer(
            auth_req_id=auth_req_id, expires_in=left if expires_in is None else expires_in, interval=interval
        )
        self.sent(name)
        self.take(results.AskTaken(self.link(name, "landask+jwt"), answer))
        return auth_req_id

    def sent(self, name: str) -> str:
        """The ask has left; its token."""
        row = self.attempt(name)
        token = ident(f"token {row.no} {len(self.tokens)}")
        with self.units.begin() as unit:
            unit.conn.execute(
                asks.insert().values(
                    jti=ident(f"ask {row.no} {len(self.tokens)}"),
                    attempt_no=row.no,
                    token_hash=token_hash(token),
                    sent_at=self.clock(),
                )
            )
            unit.conn.execute(
                update(deliveries)
                .where(deliveries.c.attempt_no == row.no, deliveries.c.typ == "landask+jwt")
                .values(tries=deliveries.c.tries + 1)
            )
        self.tokens[row.no] = token
        return token

    def says(self, name: str, *answers: dict[str, Any], attempt: int | None = None, **wrong: Any) -> None:
        """The citizen's reply to the last attempt is fetched."""
        row = self.attempt(name, attempt)
        with self.units.begin() as unit:
            jti = unit.conn.execute(select(asks.c.jti).where(asks.c.attempt_no == row.no)).scalars().first()
        reply = {
            "auth_req_id": row.auth_req_id,
            "question_id": ident(name),
            "attempt": row.attempt,
            "ask_jti": jti,
            "sub": self._sub(row),
            "acr": ACR,
            "answers": list(answers),
            "answered_at": self.clock(),
            **wrong,
        }
        link = self.link(name, "landfetch+jwt", attempt)
        self.take(results.Reply(link, opened(), payloads.parse("landreply+jwt", reply)))

    def asks(self, name: str, *answers: dict[str, Any], **more: Any) -> None:
        """An ask is taken and answered."""
        self.taken(name)
        self.says(name, *answers, **more)

    def fetch_error(self, name: str, error: str, attempt: int | None = None) -> None:
        """A fetch is answered by a plain error."""
        self.take(results.FetchError(self.link(name, "landfetch+jwt", attempt), error))

    def ask_error(self, name: str, error: str) -> None:
        """An ask is answered by a plain error."""
        self.sent(name)
        self.take(results.AskError(self.link(name, "landask+jwt"), error))

    def cancelled(self, name: str, attempt: int | None = None) -> None:
        """The provider confirms a landcancel."""
        self.take(results.CancelTaken(self.link(name, "landcancel+jwt", attempt), opened()))

    def take(self, *found: Any) -> None:
        """Let results take effect."""
        service.retrying(self.units, lambda unit: service.take_results(unit, found, lambda: 0.5))

    def ping(self, name: str, auth_req_id: str | None = None, token: str | None = None) -> bool:
        """A ping of the last attempt."""
        row = self.attempt(name)
        with self.units.begin() as unit:
            return service.callback(unit, auth_req_id or row.auth_req_id, token or self.tokens[row.no])

    # ---- time and officers ----

    def expire(self) -> int:
        """Let time take effect."""
        return service.retrying(self.units, service.expire)

    def officer(self, name: str, item: str | None, action: str) -> None:
        """A decision of officers takes effect."""
        no = self.row(name).no
        with self.units.begin() as unit:
            service.officer_outcome(unit, no, None if item is None else ident(item), action)

    # ---- looking ----

    def row(self, name: str) -> Any:
        """A question's row."""
        with reading(self.units.engine) as conn:
            return conn.execute(select(questions).where(questions.c.question_id == ident(name))).one()

    def attempt(self, name: str, number: int | None = None) -> Any:
        """The last attempt's row, or that of a number."""
        no = self.row(name).no
        with reading(self.units.engine) as conn:
            found = conn.execute(
                select(attempts).where(attempts.c.question_no == no).order_by(attempts.c.attempt)
            ).all()
        return found[-1] if number is None else found[number - 1]

    def link(self, name: str, typ: str, attempt: int | None = None) -> Link:
        """What a result belongs to."""
        row, asked = self.row(name), self.attempt(name, attempt)
        delivery = self.delivery(asked.no, typ) if typ != "landfetch+jwt" else None
        return Link(
            typ=typ,
            attempt_no=asked.no,
            question_no=row.no,
            attempt=asked.attempt,
            question_id=row.question_id,
            handle=row.handle,
            citizen_id=self.units.vault.citizen_of(row.handle),
            item_ids=tuple(json.loads(asked.item_ids)),
            expires_at=row.expires_at,
            begun_at=asked.begun_at,
            auth_req_id=asked.auth_req_id,
            delivery_no=None if delivery is None else delivery.no,
            tries=0 if delivery is None else delivery.tries,
        )

    def delivery(self, attempt_no: int, typ: str) -> Any:
        """A message's row."""
        with reading(self.units.engine) as conn:
            return conn.execute(
                select(deliveries).where(deliveries.c.attempt_no == attempt_no, deliveries.c.typ == typ)
            ).first()

    def deliveries(self, typ: str, *states: str) -> list[Any]:
        """Messages of a kind."""
        with reading(self.units.engine) as conn:
            rows = conn.execute(select(deliveries).where(deliveries.c.typ == typ).order_by(deliveries.c.no)).all()
        return [row for row in rows if not states or row.state in states]

    def state(self, name: str) -> str:
        """Of a question."""
        return str(self.row(name).state)

    def item(self, name: str, item: str | None = None) -> Any:
        """An item's row."""
        wanted = ident(item or f"item of {name}")
        with reading(self.units.engine) as conn:
            return conn.execute(
                select(items).where(items.c.question_no == self.row(name).no, items.c.item_id == wanted)
            ).one()

    def states(self, name: str) -> list[str]:
        """Of a question's items, in their order."""
        with reading(self.units.engine) as conn:
            return list(
                conn.execute(
                    select(items.c.state).where(items.c.question_no == self.row(name).no).order_by(items.c.place)
                ).scalars()
            )

    def rows(self, table: Any) -> list[Any]:
        """All rows of a table."""
        with reading(self.units.engine) as conn:
            return list(conn.execute(select(table)).all())

    def leaves(self) -> list[dict[str, Any]]:
        """The leaves, in the order of their rows."""
        from confirm_api.store.tables import leaves

        with reading(self.units.engine) as conn:
            return [json.loads(text) for text in conn.execute(select(leaves.c.leaf).order_by(leaves.c.no)).scalars()]

    def _sub(self, row: Any) -> str:
        with reading(self.units.engine) as conn:
            handle = conn.execute(select(questions.c.handle).where(questions.c.no == row.question_no)).scalar_one()
        return self.units.vault.citizen_of(handle)

    def _call(self, use_case: Any, typ: str, payload: dict[str, Any]) -> dict[str, Any]:
        model = payloads.parse(typ, payload)
        answer = service.retrying(self.units, lambda unit: use_case(unit, model, PEER))
        reply = {
            "landquestions+jwt": "landquestions-receipt+jwt",
            "landwithdraw+jwt": "landwithdraw-receipt+jwt",
            "landcollect+jwt": "landanswers+jwt",
            "landrevise+jwt": "landrevise-receipt+jwt",
            "landdecl+jwt": "landdecl-receipt+jwt",
            "residence+jwt": "residence-reply+jwt",
        }[typ]
        MODELS[reply].model_validate(answer.content)
        return answer.content


def opened() -> Opened:
    """A sealed answer that was opened: what the log needs of it."""
    return Opened({}, new_id(), "urn:idp", 0, 0, None, PEER, "vn-p256", "a.b.c", "from", "to", "0" * 64)
