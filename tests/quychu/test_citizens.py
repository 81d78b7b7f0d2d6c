"""Citizens who answer: each as declared, and only from what they would know."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from quychu.citizens import BEHAVIOURS, Behaviour, BehaviourError, Citizens, Shown, behaviour, paper_number

HUSBAND, WIFE, STRANGER = "000000000001", "000000000002", "000000000003"
TRUTH = pl.DataFrame(
    [("L1", "owner", HUSBAND), ("L1", "co_owner", WIFE), ("L2", "owner", HUSBAND), ("L3", "owner", None)],
    schema={"owner_record_id": pl.String, "role": pl.String, "citizen_id": pl.String},
    orient="row",
)
LINES = pl.DataFrame({"owner_record_id": ["L1", "L2", "L3"], "certificate_serial": ["AB 12O456", None, "AB 999111"]})
ITEMS = pl.DataFrame(
    [("his", "L1", "owner"), ("hers", "L1", "co_owner"), ("bare", "L2", "owner"), ("nobodys", "L3", "owner")],
    schema=["item_id", "owner_record_id", "role_on_line"],
    orient="row",
)


def people(told: Behaviour = BEHAVIOURS["truthful"], seed: int = 1) -> Citizens:
    return Citizens.open(TRUTH, LINES, ITEMS, told, seed=seed)


def said(who: str, item: str, told: Behaviour, *, attempt: int = 1, challenge: bool = True) -> tuple[str, str | None]:
    shown = Shown(item, "certificate_suffix", 4) if challenge else Shown(item)
    answer = people(told).say(who, shown, attempt=attempt)
    return answer.verdict, answer.challenge_response


TRUTHFUL = BEHAVIOURS["truthful"]
CARELESS = Behaviour("careless", careless=1.0)
GREEDY = BEHAVIOURS["greedy_without_paper"]


def test_a_truthful_owner_reads_the_number_from_the_paper_and_not_from_the_register() -> None:
    assert said(HUSBAND, "his", TRUTHFUL) == ("mine", "0456")


def test_no_number_is_typed_where_none_is_asked_for() -> None:
    assert said(HUSBAND, "his", TRUTHFUL, challenge=False) == ("mine", None)


@pytest.mark.parametrize("item", ["his", "hers", "bare", "nobodys", "unheard-of"])
def test_a_truthful_stranger_owns_nothing(item: str) -> None:
    assert said(STRANGER, item, TRUTHFUL) == ("not_mine", None)


def test_a_truthful_husband_does_not_claim_the_place_of_his_wife_and_a_confused_one_does() -> None:
    assert said(HUSBAND, "hers", TRUTHFUL) == ("not_mine", None)
    assert said(HUSBAND, "hers", Behaviour("confused", takes_for_own=1.0)) == ("mine", "0456")
    assert said(STRANGER, "hers", Behaviour("confused", takes_for_own=1.0)) == ("not_mine", None)


def test_a_careless_one_claims_everything_with_the_papers_at_hand() -> None:
    assert said(HUSBAND, "hers", CARELESS) == ("mine", "0456")
    assert said(HUSBAND, "nobodys", CARELESS) == ("mine", "0456")  # the number of his own paper: it does not fit
    assert said(STRANGER, "nobodys", CARELESS)[0] == "mine"


def test_a_greedy_one_guesses_anew_at_every_attempt() -> None:
    guesses = {said(STRANGER, "his", GREEDY, attempt=attempt)[1] for attempt in range(1, 6)}
    assert len(guesses) > 3
    assert all(guess is not None and len(guess) == 4 and guess.isdigit() for guess in guesses)


def test_whoever_has_mislaid_the_paper_leaves_the_number_out() -> None:
    assert said(HUSBAND, "his", Behaviour("mislaid", holds_paper=0.0)) == ("mine", None)


def test_a_slip_of_the_finger_is_one_character_and_not_made_again() -> None:
    slips = [said(HUSBAND, "his", Behaviour("slips", mistypes=0.5), attempt=attempt)[1] for attempt in range(1, 20)]
    apart = {sum(a != b for a, b in zip(slip or "", "0456", strict=True)) for slip in slips}
    assert apart == {0, 1}


def test_fraud_is_reported_of_what_is_not_theirs_only() -> None:
    watchful = Behaviour("watchful", fraud_reports=1.0)
    assert said(STRANGER, "his", watchful) == ("suspected_fraud", None)
    assert said(HUSBAND, "his", watchful)[0] == "mine"


def test_silence_and_refusal() -> None:
    shown = [Shown("his")]
    assert people(Behaviour("silent", replies=0.0)).reply(HUSBAND, shown) is None
    refused = people(Behaviour("refusing", declines=1.0)).reply(HUSBAND, shown)
    assert refused is not None
    assert refused.declined
    assert refused.answers == ()


def test_a_reply_has_every_item_shown_once() -> None:
    reply = people().reply(HUSBAND, [Shown("his"), Shown("hers"), Shown("bare")])
    assert reply is not None
    assert [answer.item_id for answer in reply.answers] == ["his", "hers", "bare"]
    assert reply.delay_seconds > 0


def test_people_stay_who_they_are_whatever_they_are_asked_first() -> None:
    mixed = people(BEHAVIOURS["mixed"])
    alone = [mixed.say(HUSBAND, Shown(item)) for item in ("his", "hers", "bare")]
    together = mixed.reply(HUSBAND, [Shown("bare"), Shown("hers"), Shown("his")])
    if together is not None and not together.declined:
        assert sorted(alone, key=str) == sorted(together.answers, key=str)
    assert mixed.temper(HUSBAND) == people(BEHAVIOURS["mixed"]).temper(HUSBAND)


def test_shares_are_kept_and_another_seed_is_another_world() -> None:
    told = Behaviour("half", replies=0.5, careless=0.1)
    worlds = [people(told, seed) for seed in (1, 2)]
    citizens = [world.temper(f"{n:012d}") for world in worlds for n in range(2_000)]
    assert sum(one.replies for one in citizens) / 4_000 == pytest.approx(0.5, abs=0.03)
    assert sum(one.careless for one in citizens) / 4_000 == pytest.approx(0.1, abs=0.02)
    assert citizens[:2_000] != citizens[2_000:]


def test_half_of_the_delays_lie_within_the_spread() -> None:
    told = Behaviour("slow", delay_median_days=4.0, delay_spread=2.0)
    slow = people(told)
    days = [slow.temper(f"{n:012d}").delay_seconds / 86_400 for n in range(4_000)]
    assert sum(2.0 <= day <= 8.0 for day in days) / 4_000 == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("AB 123456", "AB123456"),
        ("ab.123456", "AB123456"),
        ("Số G 699O61 ", "G699061"),
        ("ĐA 664 123", "ĐA664123"),
        ("AA 12345678", "AA12345678"),
        ("", None),
        (None, None),
    ],
)
def test_the_number_on_the_paper(written: str | None, printed: str | None) -> None:
    assert paper_number(written) == printed


def test_behaviour_is_told_by_name_or_by_file(tmp_path: Path) -> None:
    file = tmp_path / "pilot.toml"
    file.write_text("replies = 0.4\ncareless = 0.02\n", encoding="utf-8")
    assert behaviour("mixed") is BEHAVIOURS["mixed"]
    assert behaviour(str(file)) == Behaviour("pilot", replies=0.4, careless=0.02)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("repplies = 0.4", "repplies"),
        ("replies = 1.4", "replies"),
        ("delay_spread = 0.5", "delay_spread"),
        ("=", "TOML"),
    ],
)
def test_a_behaviour_that_cannot_be_meant_is_refused_by_name(tmp_path: Path, text: str, found: str) -> None:
    file = tmp_path / "pilot.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BehaviourError, match=found):
        behaviour(str(file))
