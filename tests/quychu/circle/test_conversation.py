"""Questions of a run go out once, answers come in once, whatever is repeated or stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from exchange.ids import new_id
from exchange.tables import QUESTIONS
from linkage.ask.tables import ASKED
from quychu.circle.conversation import (
    LARGEST_BATCH,
    LARGEST_BATCH_BYTES,
    answers_of,
    batches,
    begin_rehearsal,
    bind,
    collect_answers,
    outcomes,
    post_questions,
    posted,
    withdraw_open,
)
from quychu.errors import QuychuError

CITIZENS = ["001090000001", "001090000002", "001090000003"]


class StoppedError(Exception):
    """The process was killed here."""


class PaperService:
    """A service on paper: remembers questions, gives answers by number, two to a page."""

    def __init__(self) -> None:
        self.questions: dict[str, dict[str, Any]] = {}
        self.entries: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.refuse: dict[str, str] = {}
        self.stop_after: str | None = None

    def call(self, typ: str, content: dict[str, Any]) -> dict[str, Any]:
        self.calls.append(typ)
        answer = {
            "landquestions+jwt": self._questions,
            "landcollect+jwt": self._collect,
            "landwithdraw+jwt": self._withdraw,
        }[typ](content)
        if self.stop_after == typ:
            self.stop_after = None
            raise StoppedError
        return answer

    def _questions(self, content: dict[str, Any]) -> dict[str, Any]:
        receipt: dict[str, Any] = {"batch_id": content["batch_id"], "accepted": [], "duplicates": [], "refused": []}
        for question in content["questions"]:
            name = question["question_id"]
            if why := self.refuse.get(question["citizen_id"]):
                receipt["refused"].append({"question_id": name, "why": why})
            else:
                receipt["duplicates" if name in self.questions else "accepted"].append(name)
                self.questions[name] = question
        return receipt

    def _collect(self, content: dict[str, Any]) -> dict[str, Any]:
        start = int(content["after"] or 0)
        page = self.entries[start : start + 2]
        return {"answers": page, "next": str(start + len(page))}

    def _withdraw(self, content: dict[str, Any]) -> dict[str, Any]:
        ids = content["question_ids"]
        return {"batch_id": content["batch_id"], "withdrawn": ids, "too_late": [], "unknown": []}

    def answer(self, question: str, state: str = "settled") -> None:
        told = self.questions[question]
        self.entries.extend(
            {
                "question_id": question,
                "item_id": parcel["item_id"],
                "citizen_id": told["citizen_id"],
                "state": state,
                "verdict": "mine" if state == "settled" else None,
                "proven": state == "settled",
                "evidence_level": "challenge" if state == "settled" else "none",
                "answered_at": 1_764_000_000 if state == "settled" else None,
            }
            for parcel in told["parcels"]
        )


def parcel() -> dict[str, Any]:
    names = [field.name for field in QUESTIONS.schema["parcels"].inner.fields]
    return {**dict.fromkeys(names), "item_id": new_id(), "rank": 1, "area_m2": 120.0}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    questions = [
        {
            "question_id": new_id(),
            "citizen_id": citizen,
            "priority": 0.5,
            "expires_in": 3600,
            "expected_gain": 1.0,
            "chosen_by": "gain",
            "sampling_weight": 1.0,
            "parcels": [parcel(), parcel()],
        }
        for citizen in CITIZENS
    ]
    write(tmp_path, questions)
    return tmp_path


def write(run: Path, questions: list[dict[str, Any]]) -> None:
    pl.DataFrame(questions, schema=QUESTIONS.schema).write_parquet(run / "questions.parquet")
    asked = [{"question_id": q["question_id"], "item_id": p["item_id"]} for q in questions for p in q["parcels"]]
    old = pl.read_parquet(run / "asked.parquet") if (run / "asked.parquet").exists() else ASKED.empty()
    new = pl.DataFrame(asked, schema={"question_id": pl.String, "item_id": pl.String})
    pl.concat([old, new], how="diagonal").write_parquet(run / "asked.parquet")


def test_every_question_is_accepted_or_refused_with_the_reason_counted(run: Path):
    service = PaperService()
    service.refuse[CITIZENS[0]] = "not_askable"
    found = post_questions(service, run)
    assert (found.questions, found.accepted, found.refused) == (3, 2, {"not_askable": 1})
    assert found.sentence() == "questions 3 = accepted 2 + refused 1 (not_askable 1)"


def test_posting_again_sends_nothing(run: Path):
    service = PaperService()
    post_questions(service, run)
    post_questions(service, run)
    assert service.calls == ["landquestions+jwt"]


def test_a_batch_whose_receipt_was_lost_is_posted_again_and_counts_once(run: Path):
    service = PaperService()
    service.stop_after = "landquestions+jwt"
    with pytest.raises(StoppedError):
        post_questions(service, run)
    assert posted(run).accepted == 0
    assert post_questions(service, run).accepted == 3
    assert len(service.questions) == 3


def test_areas_are_written_as_integers_where_they_are(run: Path):
    service = PaperService()
    post_questions(service, run)
    assert '"area_m2": 120,' in json.dumps(next(iter(service.questions.values())))


def test_answers_come_page_by_page_and_each_once(run: Path):
    service = PaperService()
    post_questions(service, run)
    for question in service.questions:
        service.answer(question)
    assert collect_answers(service, run).height == 6
    assert collect_answers(service, run)["entry"].to_list() == [0, 1, 2, 3, 4, 5]
    assert outcomes(answers_of(run)) == "settled 6"


def test_a_stop_between_two_pages_loses_nothing_and_repeats_nothing(run: Path):
    service = PaperService()
    post_questions(service, run)
    for question in service.questions:
        service.answer(question)
    service.stop_after = "landcollect+jwt"
    with pytest.raises(StoppedError):
        collect_answers(service, run)
    assert collect_answers(service, run)["item_id"].n_unique() == 6


def test_answers_of_other_runs_are_left_to_them(run: Path):
    service = PaperService()
    post_questions(service, run)
    service.questions["x" * 22] = {"citizen_id": "001090000009", "parcels": [parcel()]}
    service.answer("x" * 22)
    assert collect_answers(service, run).height == 0


def test_answers_of_an_earlier_round_stay(run: Path):
    service = PaperService()
    post_questions(service, run)
    service.answer(next(iter(service.questions)))
    later = pl.read_parquet(run / "questions.parquet").head(1).to_dicts()
    later[0]["question_id"] = new_id()
    write(run, later)
    post_questions(service, run)
    assert collect_answers(service, run).height == 2


def test_waiting_ends_when_every_accepted_item_has_an_outcome(run: Path):
    service = PaperService()
    post_questions(service, run)
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        for question in list(service.questions):
            service.answer(question)

    ticks = iter(range(100))
    collect_answers(service, run, wait_seconds=50, sleep=nap, clock=lambda: float(next(ticks)))
    assert len(naps) == 1


def test_only_questions_without_an_outcome_are_withdrawn(run: Path):
    service = PaperService()
    post_questions(service, run)
    service.answer(next(iter(service.questions)))
    collect_answers(service, run)
    assert withdraw_open(service, run, "test") == {"withdrawn": 2, "too_late": 0, "unknown": 0}


def test_batches_hold_what_fits_one_message():
    questions = [{"question_id": str(n), "parcels": ["x" * 900]} for n in range(500)]
    made = list(batches(questions))
    assert [question for batch in made for question in batch] == questions
    assert all(len(batch) <= LARGEST_BATCH for batch in made)
    assert all(len(json.dumps(batch)) < LARGEST_BATCH_BYTES + 1000 for batch in made)


def test_a_folder_without_questions_says_what_to_do(tmp_path: Path):
    with pytest.raises(QuychuError, match=r"questions\.parquet: expected it in the run folder"):
        post_questions(PaperService(), tmp_path)


def test_a_run_goes_on_with_the_service_it_began_with_and_no_other(run: Path):
    bind(run, "urn:quychu:peer:service at https://a.vn")
    bind(run, "urn:quychu:peer:service at https://a.vn")
    with pytest.raises(QuychuError, match="expected the service this run has talked to"):
        bind(run, "urn:quychu:peer:service at https://b.vn")


def test_a_rehearsal_begins_anew_but_never_over_a_real_conversation(run: Path):
    service = PaperService()
    begin_rehearsal(run)
    post_questions(service, run)
    begin_rehearsal(run)
    assert posted(run).accepted == 0
    bind(run, "rehearsal")


def test_a_real_conversation_is_not_rehearsed_over(run: Path):
    bind(run, "urn:quychu:peer:service at https://a.vn")
    with pytest.raises(QuychuError, match="talked to"):
        begin_rehearsal(run)
