"""What comes back from the provider, time, officers and replayed dead letters, on both databases."""

import json
import threading

import pytest
from sqlalchemy import insert, update

from confirm_api import service
from confirm_api.errors import OfficeError
from confirm_api.service import dead_letters, results
from confirm_api.store.tables import cases, deliveries, items, people, replies
from tests.confirm_api.service.helpers import ident, opened, parcel, question, said


def dead(story, name):
    story.sent(name)
    story.take(results.Failed(story.link(name, "landask+jwt"), "status-404", final=True))


# ---- replies -------------------------------------------------------------------------------------------------------


def test_an_acknowledged_reply_is_stored_once_with_what_it_said(story):
    story.post(question("one", 1, parcel("a")))
    story.asks("one", said("a", "mine", "6864"))
    story.says("one", said("a", "mine", "6864"))
    row = story.rows(replies)[0]
    assert len(story.rows(replies)) == 1
    assert b"6864" not in row.box
    opened_ = story.units.vault.open(story.row("one").handle, f"replies/{row.attempt_no}/box", row.box)
    assert opened_["answers"][0]["challenge_response"] == "6864"
    leaves = [(leaf["event"], leaf["outcome"]) for leaf in story.leaves() if leaf["event"] == "landreply"]
    assert sorted(leaves) == [("landreply", "accepted"), ("landreply", "duplicate")]


@pytest.mark.parametrize("response", ["6864", " 6 8 6 4 ", "68 64"])
def test_a_response_is_compared_without_blanks(story, response):
    story.post(question("one", 1, parcel("a")))
    story.asks("one", said("a", "mine", response))
    assert story.states("one") == ["settled"]


@pytest.mark.parametrize("response", ["oi2b", "0128", "OI2B"])
def test_look_alikes_are_equal_and_others_are_not(story, response):
    story.post(question("one", 1, parcel("a", serial="AD 26 O12B")))
    story.asks("one", said("a", "mine", response))
    assert story.states("one") == (["asked"] if response == "0128" else ["settled"])


def test_three_wrong_responses_go_to_an_officer_in_three_attempts_of_one_question(story):
    story.post(question("one", 1, parcel("a")))
    for _ in range(3):
        story.asks("one", said("a", "mine", "0000"))
    assert story.states("one") == ["office"]
    assert story.attempt("one").attempt == 3
    assert [row.kind for row in story.rows(cases)] == ["failed_challenge"]
    assert [one["state"] for one in story.collect()["answers"]] == ["office"], "one entry: the way there is not told"


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (lambda story: story.asks("one", said("a", "not_mine")), "settled"),
        (lambda story: (story.taken("one"), story.fetch_error("one", "access_denied")), "declined"),
        (lambda story: (story.clock.move(600), story.expire()), "expired"),
        (lambda story: story.ask_error("one", "unknown_user_id"), "undeliverable"),
        (lambda story: dead(story, "one"), "undeliverable"),
        (lambda story: story.withdraw("one"), "withdrawn"),
    ],
)
def test_five_ends_release_the_item_to_the_next_one_at_a_time(story, end, state):
    story.post(
        question("one", 1, parcel("a"), expires_in=600),
        question("two", 2, parcel("a", 2)),
        question("three", 3, parcel("a", 3)),
    )
    end(story)
    assert story.states("one") == [state]
    assert (story.states("two"), story.states("three")) == (["asked"], ["held"])


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (said("a", "mine", "6864"), "settled"),
        (said("a", "mine"), "office"),
        (said("a", "unsure"), "office"),
        (said("a", "suspected_fraud"), "office"),
    ],
)
def test_where_it_is_settled_as_mine_or_at_the_office_those_behind_end_as_withdrawn(story, answer, state):
    story.post(
        question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)), question("three", 3, parcel("a", 3))
    )
    story.asks("one", answer)
    assert story.states("one") == [state]
    assert (story.states("two"), story.states("three")) == (["withdrawn"], ["withdrawn"])


def test_a_frozen_question_raises_an_incident(story):
    story.post(question("one", 1, parcel("a"), parcel("b")))
    story.asks("one", said("a", "suspected_fraud"), said("b", "mine", "6864"))
    assert story.row("one").frozen
    assert sorted(row.kind for row in story.rows(cases)) == ["suspected_fraud", "unproven"]
    assert "frozen" in {leaf["reason"] for leaf in story.leaves()}


def test_a_reply_that_crosses_a_cancel_is_stored_late_and_settles_nothing(story):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    story.taken("one")
    story.withdraw("one")
    story.says("one", said("a", "mine", "6864"))
    assert [row.late for row in story.rows(replies)] == [True]
    assert (story.states("one"), story.states("two")) == (["withdrawn"], ["asked"])


def test_results_of_many_questions_take_effect_together(story):
    names = [f"q{number}" for number in range(6)]
    story.post(*(question(name, number, parcel("a", rank=number + 1)) for number, name in enumerate(names)))
    for name in names:
        assert story.states(name) == ["asked"]
        story.asks(name, said("a", "not_mine"))
    assert {story.state(name) for name in names} == {"ended"}


def test_the_second_result_of_a_delivery_is_only_logged(story):
    story.post(question("one", 1))
    story.sent("one")
    link = story.link("one", "landask+jwt")
    story.take(results.AskError(link, "unknown_user_id"), results.Failed(link, "no-answer"))
    story.take(results.AskError(link, "unknown_user_id"))
    assert [leaf["reason"] for leaf in story.leaves() if leaf["event"] == "landask"][-1] == "late"
    assert len(story.collect()["answers"]) == 1


def test_an_answer_whose_jti_was_seen_is_refused(story):
    story.post(question("one", 1), question("two", 2))
    story.taken("one")
    story.taken("two")
    story.withdraw("one", "two")
    answer = opened()
    story.take(results.CancelTaken(story.link("one", "landcancel+jwt"), answer))
    story.take(results.CancelTaken(story.link("two", "landcancel+jwt"), answer))
    assert [row.state for row in story.deliveries("landcancel+jwt")] == ["delivered", "waiting"]
    assert [leaf["reason"] for leaf in story.leaves() if leaf["outcome"] == "refused"] == ["14"]


def test_the_next_attempt_waits_until_the_cancel_is_confirmed(story, clock):
    story.post(question("one", 1, parcel("a"), parcel("b")))
    story.asks("one", said("a", "mine", "0000"), said("b", "mine", "0000"))
    story.taken("one")
    story.revise("one", said("a", "unsure"))
    assert story.states("one") == ["office", "free"]
    story.cancelled("one", 2)
    assert story.states("one") == ["office", "asked"]
    assert story.attempt("one").attempt == 3
    assert json.loads(story.attempt("one").item_ids) == [ident("b")]


def test_two_requests_with_the_same_id_at_the_provider_are_not_believed(story):
    story.post(question("one", 1), question("two", 2))
    story.taken("one")
    story.sent("two")
    answer = results.AskAnswer(auth_req_id=story.attempt("one").auth_req_id, expires_in=60, interval=5)
    story.take(results.AskTaken(story.link("two", "landask+jwt"), answer))
    assert story.attempt("two").state == "sending"


# ---- time ----------------------------------------------------------------------------------------------------------


def test_waiting_questions_expire_counted_from_acceptance(story, clock):
    story.post(question("one", 1), question("two", 1, expires_in=60))
    clock.move(59)
    assert story.expire() == 0
    clock.move(1)
    assert story.expire() == 1
    assert story.states("two") == ["expired"]


def test_an_ask_that_never_left_is_not_sent_after_its_time(story, clock):
    story.post(question("one", 1, expires_in=60))
    clock.move(60)
    story.expire()
    assert [row.state for row in story.deliveries("landask+jwt")] == ["dropped"]
    assert story.attempt("one").state == "closed"


def test_who_died_meanwhile_is_not_asked_and_keeps_nobody_waiting(story):
    story.post(question("one", 1, parcel("x")), question("two", 1, parcel("a")), question("three", 3, parcel("a", 2)))
    with story.units.begin() as unit:
        unit.conn.execute(insert(people).values(handle=story.row("two").handle, status="deceased"))
    story.asks("one", said("x", "not_mine"))
    assert story.states("two") == ["free"]
    assert story.expire() == 1
    assert (story.states("two"), story.states("three")) == (["undeliverable"], ["asked"])


# ---- officers ------------------------------------------------------------------------------------------------------


def disputed(story):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    story.asks("one", said("a", "not_mine"))
    story.asks("two", said("a", "mine", "6864"))
    story.revise("one", said("a", "mine", "6864"))


def outcome(story, name):
    row = story.item(name, "a")
    return row.state, row.verdict, row.proven, row.evidence_level


def test_officers_confirm_one_claim_and_the_other_loses(story):
    disputed(story)
    story.officer("two", "a", "confirm")
    assert outcome(story, "two") == ("settled", "mine", True, "officer")
    assert outcome(story, "one") == ("settled", "not_mine", False, "officer")


def test_officers_find_that_it_is_nobodys(story):
    disputed(story)
    story.officer("two", "a", "nobody")
    assert {outcome(story, name) for name in ("one", "two")} == {("settled", "not_mine", False, "officer")}


def test_a_reopened_dispute_is_a_dispute_again(story):
    disputed(story)
    story.officer("two", "a", "confirm")
    story.officer("two", "a", "reopen")
    assert {outcome(story, name) for name in ("one", "two")} == {("disputed", "mine", True, "challenge")}


def test_a_rejected_claim_frees_the_item_for_questions_to_come(story):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    story.asks("one", said("a", "mine"))
    assert story.states("two") == ["withdrawn"]
    story.officer("one", "a", "reject")
    assert story.states("two") == ["withdrawn"], "an end does not change by itself"
    story.post(question("again", 2, parcel("a", 2)))
    assert story.states("again") == ["asked"]


def test_an_officer_opens_a_dispute_and_a_freeze_is_ended(story):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("b")))
    story.asks("one", said("a", "mine", "6864"))
    story.officer("one", "a", "dispute")
    assert story.states("one") == ["disputed"]
    story.asks("two", said("b", "suspected_fraud"))
    story.officer("two", "b", "unfreeze")
    assert not story.row("two").frozen
    assert "unsure" in {row.kind for row in story.rows(cases)}


def test_an_unknown_decision_is_refused(story):
    story.post(question("one", 1))
    with pytest.raises(OfficeError):
        story.officer("one", "item of one", "burn")


# ---- dead letters --------------------------------------------------------------------------------------------------


def revive(story, name, attempt=None):
    no = story.delivery(story.attempt(name, attempt).no, "landask+jwt").no
    return service.retrying(story.units, lambda unit: dead_letters.revive(unit, no))


def test_a_dead_letter_is_sent_again_in_the_same_attempt(story):
    story.post(question("one", 1, parcel("a")))
    dead(story, "one")
    assert revive(story, "one") == "waiting"
    assert (story.states("one"), story.attempt("one").attempt) == (["asked"], 1)
    story.asks("one", said("a", "mine", "6864"))
    assert [one["state"] for one in story.collect()["answers"]] == ["undeliverable", "settled"]
    assert "revived" in {leaf["reason"] for leaf in story.leaves()}


def test_a_replayed_question_waits_behind_whoever_is_asked_by_now(story):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    dead(story, "one")
    assert revive(story, "one") == "dropped"
    assert (story.states("one"), story.states("two")) == (["held"], ["asked"])
    story.asks("two", said("a", "not_mine"))
    assert (story.states("one"), story.attempt("one").attempt) == (["asked"], 1)
    assert story.delivery(story.attempt("one").no, "landask+jwt").state == "waiting"


def test_a_replayed_question_ends_as_withdrawn_where_somebody_has_the_item(story):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    dead(story, "one")
    story.asks("two", said("a", "mine", "6864"))
    revive(story, "one")
    assert story.states("one") == ["withdrawn"]


def test_what_is_no_dead_letter_or_whose_time_is_over_is_not_sent_again(story, clock):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("b"), expires_in=60))
    with pytest.raises(dead_letters.NotRevivedError, match="expected a dead letter"):
        revive(story, "one")
    dead(story, "two")
    clock.move(60)
    with pytest.raises(dead_letters.NotRevivedError, match="time is over"):
        revive(story, "two")


def test_a_dead_cancel_is_sent_again(story):
    story.post(question("one", 1))
    story.taken("one")
    story.withdraw("one")
    link = story.link("one", "landcancel+jwt")
    story.take(results.Failed(link, "status-404", final=True))
    assert story.attempt("one").state == "closed"
    with story.units.begin() as unit:
        assert [letter.typ for letter in dead_letters.letters(unit, ["dead"], 9)] == ["landcancel+jwt"]
        assert dead_letters.revive(unit, link.delivery_no) == "waiting"


# ---- at the same time ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.needs("postgresql")
def test_replies_withdrawals_and_posts_at_the_same_time_leave_nothing_stuck(story, clock):
    """Chains of candidates over shared parcels, worked on from all sides; then nobody waits for who is gone."""
    names = [f"q{number}" for number in range(24)]
    story.post(
        *(
            question(
                name, number % 12, parcel(f"i{number % 5}", number + 1), parcel(f"i{(number + 2) % 5}", number + 1)
            )
            for number, name in enumerate(names)
        )
    )
    failures = []

    def work(mine):
        try:
            for _ in range(3):
                for name in mine:
                    row = story.row(name)
                    if row.state == "ended":
                        continue
                    if row.no % 3 == 0:
                        story.withdraw(name)
                    elif story.row(name).attempt and story.attempt(name).state == "sending":
                        story.taken(name)
                        asked = json.loads(story.attempt(name).item_ids)
                        story.says(name, *({**said("x", "not_mine"), "item_id": one} for one in asked))
        except Exception as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(names[number::6],)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    open_items = {}
    for row in story.rows(items):
        open_items.setdefault(row.item_id, []).append(row.state)
    for states in open_items.values():
        assert states.count("asked") + states.count("free") <= 1
        assert "held" not in states or states.count("asked") + states.count("free") == 1


def test_a_claim_that_outlives_its_delivery_row_is_harmless(story):
    story.post(question("one", 1))
    story.sent("one")
    link = story.link("one", "landask+jwt")
    with story.units.begin() as unit:
        unit.conn.execute(update(deliveries).values(state="dropped"))
    story.take(results.Failed(link, "no-answer"))
    assert story.states("one") == ["asked"]
