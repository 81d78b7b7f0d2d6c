"""The provider against a small model: whatever the order of asks, answers, cancels and hours, it keeps its promises."""

from __future__ import annotations

import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule
from sqlalchemy import select

from confirm_api.vneid_sim import citizen, provider, tables
from confirm_api.vneid_sim.errors import NotOpenError
from confirm_api.vneid_sim.provider import AskError, AskTaken, Desk, TokenError
from confirm_api.vneid_sim.settings import ProviderSettings
from confirm_api.vneid_sim.store import Store
from tests.confirm_api.vneid_sim.world import DAY, ask, item

QUESTIONS = [f"question-{number}-{'x' * 22}" for number in range(2)]
ITEMS = {question: [item()] for question in QUESTIONS}


@dataclass
class Attempt:
    """What the model knows of an attempt."""

    auth_req_id: str
    question_id: str
    number: int
    expires_at: int
    state: str = "open"
    reply: Any = None


class Model(RuleBasedStateMachine):
    """Two questions, three attempts each, one citizen."""

    requests = Bundle("requests")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name) / "sim.sqlite3")
        self.desk = Desk(ProviderSettings(), 2, secrets.token_bytes)
        self.now = 1_000_000
        self.attempts: dict[tuple[str, int], Attempt] = {}

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def do(self, job: Any) -> Any:
        return self.store.submit(job).result()

    @rule(target=requests, question_id=st.sampled_from(QUESTIONS), number=st.integers(1, 3), days=st.integers(1, 20))
    def ask(self, question_id: str, number: int, days: int) -> Attempt:
        message = ask(ITEMS[question_id], question_id=question_id, attempt=number, requested_expiry=days * DAY)
        taken = self.do(lambda conn: provider.ask(conn, message, "j" * 22, self.desk, self.now))
        assert isinstance(taken, AskTaken)
        known = self.attempts.get((question_id, number))
        if known is not None:
            assert taken == AskTaken(known.auth_req_id, max(0, known.expires_at - self.now), 5)
            return known
        others = [one for one in self.attempts.values() if one.question_id == question_id]
        made = Attempt(taken.auth_req_id, question_id, number, self.now + days * DAY)
        for one in others:
            if one.number < number and one.state == "open":
                one.state = "superseded"
        if any(one.number > number for one in others):
            made.state = "superseded"
        self.attempts[question_id, number] = made
        return made

    @rule(question_id=st.sampled_from(QUESTIONS), number=st.integers(1, 3))
    def ask_otherwise(self, question_id: str, number: int) -> None:
        message = ask([item()], question_id=question_id, attempt=number)
        if (question_id, number) in self.attempts:
            taken = self.do(lambda conn: provider.ask(conn, message, "j" * 22, self.desk, self.now))
            assert taken == AskError("invalid_request")

    @rule(one=requests, verdict=st.sampled_from(["mine", "not_mine", "decline"]))
    def answer(self, one: Attempt, verdict: str) -> None:
        said = [{"item_id": ITEMS[one.question_id][0]["item_id"], "verdict": verdict}]

        def job(conn: Any) -> bool:
            try:
                if verdict == "decline":
                    citizen.decline(conn, one.auth_req_id, self.now)
                else:
                    citizen.answer(conn, one.auth_req_id, said, self.desk, self.now)
            except NotOpenError:
                return False
            return True

        assert self.do(job) == (one.state == "open" and self.now < one.expires_at)
        if one.state == "open" and self.now < one.expires_at:
            one.state = "declined" if verdict == "decline" else "answered"
            one.reply = verdict if verdict != "decline" else None

    @rule(one=requests, reason=st.sampled_from(["withdrawn", "expired"]))
    def cancel(self, one: Attempt, reason: str) -> None:
        message = {"auth_req_id": one.auth_req_id, "question_id": one.question_id, "reason": reason}
        self.do(lambda conn: provider.cancel(conn, message, self.now))
        if one.state == "open":
            one.state = "cancelled"

    @rule(hours=st.sampled_from([1, 24, 24 * 8]))
    def wait(self, hours: int) -> None:
        self.now += hours * 3_600

    @rule(one=requests)
    def fetch(self, one: Attempt) -> None:
        found = self.do(lambda conn: provider.token(conn, one.auth_req_id, self.desk, self.now))
        if self.now > one.expires_at + 7 * DAY:
            assert found == TokenError("invalid_grant")
        elif one.state == "answered":
            assert found["answers"][0]["verdict"] == one.reply
            assert (found["question_id"], found["attempt"]) == (one.question_id, one.number)
        elif one.state == "declined":
            assert found == TokenError("access_denied")
        else:
            pending = one.state == "open" and self.now < one.expires_at
            assert found == TokenError("authorization_pending" if pending else "expired_token")

    @invariant()
    def at_most_one_attempt_of_a_question_is_open(self) -> None:
        query = select(tables.requests.c.question_id).where(tables.requests.c.state == "open")
        found = self.store.read(lambda conn: conn.execute(query).scalars().all())
        assert len(found) == len(set(found))


TestProviderModel = Model.TestCase
TestProviderModel.settings = settings(max_examples=25, stateful_step_count=20)
