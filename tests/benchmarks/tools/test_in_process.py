"""The rules of a question's life, played without a wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import polars as pl
import pytest

from benchmarks.tools.in_process import InProcess
from exchange.tables import QUESTIONS
from quychu.citizens import Citizens, Reply, Said, Shown

A, B, C = "000000000001", "000000000002", "000000000003"
DAY = 86_400


def parcel(item: str, rank: int = 1, serial: str | None = "AB120456") -> dict[str, object]:
    names = [field.name for field in QUESTIONS.schema["parcels"].inner.fields]
    return {**dict.fromkeys(names), "item_id": item, "rank": rank, "certificate_serial": serial}


def questions(*rows: tuple[str, list[dict[str, object]]], expires: int = 30 * DAY) -> pl.DataFrame:
    told = [
        {
            "question_id": f"q-{who}", "citizen_id": who, "priority": 1.0, "expires_in": expires, "expected_gain": 1.0,
            "chosen_by": "gain", "sampling_weight": 1.0, "parcels": parcels,
        }
        for who, parcels in rows
    ]  # fmt: skip
    return pl.DataFrame(told, schema=QUESTIONS.schema)


Tells = Callable[[str, Shown, int], tuple[str, str | None] | None]


@dataclass(frozen=True)
class Scripted:
    """Citizens who say what a test tells them to: (verdict, response), None for silence."""

    tells: Tells

    def reply(self, who: str, shown: list[Shown], *, attempt: int = 1) -> Reply | None:
        found = [(item, self.tells(who, item, attempt)) for item in shown]
        if any(told is None for _, told in found):
            return None
        answers = tuple(Said(item.item_id, *told) for item, told in found if told is not None)  # type: ignore[arg-type]
        return Reply(DAY, answers, declined=any(said.verdict == "declined" for said in answers))  # type: ignore[comparison-overlap]


def ends(table: pl.DataFrame, tells: Tells) -> dict[tuple[str, str], tuple[str, str | None, str]]:
    entries = InProcess().answers(table, cast("Citizens", Scripted(tells)))
    found = {
        (row["citizen_id"], row["item_id"]): (row["state"], row["verdict"], row["evidence_level"])
        for row in entries.iter_rows(named=True)
    }
    assert len(found) == entries.height  # without a revision, every item of a question ends once
    return found


def test_mine_with_the_number_settles_and_the_others_are_withdrawn() -> None:
    found = ends(questions((A, [parcel("i")]), (B, [parcel("i", 2)])), lambda *_: ("mine", "o456"))
    assert found == {(A, "i"): ("settled", "mine", "challenge"), (B, "i"): ("withdrawn", None, "none")}


@pytest.mark.parametrize("serial", [None, "123"])
def test_without_a_number_to_ask_for_mine_goes_to_an_officer(serial: str | None) -> None:
    found = ends(questions((A, [parcel("i", serial=serial)])), lambda *_: ("mine", None))
    assert found == {(A, "i"): ("office", "mine", "tap")}


def test_three_wrong_numbers_go_to_an_officer_and_two_do_not() -> None:
    one = questions((A, [parcel("i")]))
    assert ends(one, lambda *_: ("mine", "9999"))[A, "i"][0] == "office"
    third_time = ends(one, lambda _who, _item, attempt: ("mine", "0456" if attempt == 3 else "9999"))
    assert third_time[A, "i"] == ("settled", "mine", "challenge")


def test_a_denial_releases_to_the_next_and_so_do_silence_and_refusal() -> None:
    table = questions((A, [parcel("i")]), (B, [parcel("i", 2)]), expires=30 * DAY)
    for first in ("not_mine", "declined"):
        found = ends(table, lambda who, *_, told=first: (told, None) if who == A else ("mine", "0456"))
        assert found[B, "i"] == ("settled", "mine", "challenge")
    early = pl.concat([questions((A, [parcel("i")]), expires=10 * DAY), questions((B, [parcel("i", 2)]))])
    found = ends(early, lambda who, *_: None if who == A else ("mine", "0456"))
    assert found == {(A, "i"): ("expired", None, "none"), (B, "i"): ("settled", "mine", "challenge")}


def test_the_next_waits_for_the_first_whatever_the_order_of_posting() -> None:
    table = questions((B, [parcel("i", 2)]), (A, [parcel("i", 1)]))
    found = ends(table, lambda *_: ("mine", "0456"))
    assert found == {(A, "i"): ("settled", "mine", "challenge"), (B, "i"): ("withdrawn", None, "none")}


def test_unsure_goes_to_an_officer_and_withdraws_those_behind() -> None:
    found = ends(questions((A, [parcel("i")]), (B, [parcel("i", 2)])), lambda *_: ("unsure", None))
    assert found == {(A, "i"): ("office", "unsure", "tap"), (B, "i"): ("withdrawn", None, "none")}


def test_a_released_item_follows_in_a_later_attempt() -> None:
    table = questions((A, [parcel("i")]), (B, [parcel("i", 2), parcel("j")]))
    seen: list[tuple[str, str, int]] = []

    def tell(who: str, item: Shown, attempt: int) -> tuple[str, str | None]:
        seen.append((who, item.item_id, attempt))
        return ("not_mine", None) if who == A else ("mine", "0456")

    found = ends(table, tell)
    assert found[B, "i"][0] == found[B, "j"][0] == "settled"
    assert (B, "j", 1) in seen
    assert (B, "i", 2) in seen


def test_suspected_fraud_freezes_the_whole_question() -> None:
    table = questions((A, [parcel("i"), parcel("j")]))
    found = ends(table, lambda _who, item, _attempt: ("suspected_fraud" if item.item_id == "i" else "mine", None))
    assert {state for state, *_ in found.values()} == {"office"}


def test_a_rank_that_nobody_posted_is_skipped() -> None:
    found = ends(questions((B, [parcel("i", 2)]), (C, [parcel("i", 5)])), lambda *_: ("mine", "0456"))
    assert found[B, "i"][0] == "settled"
