"""The sentences of protocol §4 about one question, each as a test."""

from dataclasses import replace

import pytest

from confirm_api.question import (
    ASKED,
    CLOSING,
    DECLINED,
    DISPUTED,
    EXPIRED,
    FREE,
    HELD,
    MET,
    MOST_ITEMS,
    NO_PROOF,
    OFFICE,
    OPEN,
    SENDING,
    SETTLED,
    UNDELIVERABLE,
    WITHDRAWN,
    WRONG,
    Answer,
    Attempt,
    Begin,
    Cancel,
    Item,
    OpenCase,
    Question,
    ask_taken,
    attempt_closed,
    begin,
    confirm,
    contest,
    dead_letter,
    declined,
    dispute,
    doubt,
    entries,
    events,
    expire,
    refused_by_provider,
    reject,
    reopen,
    reply,
    request_ended,
    revise,
    revive,
    supersede,
    unfreeze,
    withdraw,
)


def made(*items, **more):
    return Question(no=1, handle="h", accepted_at=0, expires_at=86_400, items=items, **more)


def asked(*items, state=OPEN, **more):
    """A question whose free items were asked in its first attempt."""
    question = begin(made(*items, **more), now=1).question
    return ask_taken(question) if state == OPEN else question


def states(question):
    return [item.state for item in question.items]


def again(question):
    """The next attempt, open at the provider."""
    return ask_taken(begin(question, now=9).question)


# ---- created, sent, answered, ended --------------------------------------------------------------------------------


def test_a_question_is_created_then_sent_then_answered_then_ended():
    question = made(Item("a", 1, FREE), Item("b", 1, HELD))
    assert question.state == "created"
    question = asked(*question.items)
    assert question.state == "sent"
    question = reply(question, 1, [Answer("a", "not_mine")], 5).question
    assert question.state == "answered"
    assert supersede(question, "b").question.state == "ended"


def test_a_question_is_sent_with_the_items_free_at_that_moment():
    step = begin(made(Item("a", 1, FREE), Item("b", 2, HELD), Item("c", 1, FREE)), now=1)
    assert step.effects == (Begin(1, ("a", "c")),)
    assert states(step.question) == [ASKED, HELD, ASKED]


def test_a_very_long_question_is_asked_in_several_attempts():
    question = made(*(Item(f"i{number}", 1, FREE) for number in range(MOST_ITEMS + 1)))
    assert len(begin(question, now=1).effects[0].item_ids) == MOST_ITEMS


def test_at_most_one_attempt_is_open():
    with pytest.raises(AssertionError):
        begin(asked(Item("a", 1, FREE)), now=2)


def test_the_first_ask_is_remembered_and_a_new_attempt_is_no_new_ask():
    question = asked(Item("a", 1, FREE))
    question = reply(question, 1, [Answer("a", "mine", WRONG)], 5).question
    assert again(question).asked_at == 1


# ---- answers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "proof", "state", "evidence", "proven", "case"),
    [
        ("mine", MET, SETTLED, "challenge", True, None),
        ("mine", NO_PROOF, OFFICE, "tap", False, "unproven"),
        ("mine", WRONG, FREE, "tap", False, None),
        ("not_mine", NO_PROOF, SETTLED, "tap", False, None),
        ("unsure", NO_PROOF, OFFICE, "tap", False, "unsure"),
        ("suspected_fraud", NO_PROOF, OFFICE, "tap", False, "suspected_fraud"),
    ],
)
def test_what_an_answer_does_to_its_item(verdict, proof, state, evidence, proven, case):
    step = reply(asked(Item("a", 1, FREE)), 1, [Answer("a", verdict, proof)], 7)
    item = step.question.items[0]
    assert (item.state, item.evidence_level, item.proven, item.answered_at) == (state, evidence, proven, 7)
    assert step.effects == (() if case is None else (OpenCase(case, "a"),))


def test_a_wrong_response_opens_the_item_again_at_once_in_a_new_attempt_of_the_same_question():
    question = reply(asked(Item("a", 1, FREE)), 1, [Answer("a", "mine", WRONG)], 5).question
    step = begin(question, now=5)
    assert step.effects == (Begin(2, ("a",), pause_seconds=0),)


def test_after_three_wrong_responses_it_goes_to_an_officer():
    question = asked(Item("a", 1, FREE))
    for attempt in (1, 2):
        question = again(reply(question, attempt, [Answer("a", "mine", WRONG)], 5).question)
    step = reply(question, 3, [Answer("a", "mine", WRONG)], 5)
    assert states(step.question) == [OFFICE]
    assert step.effects == (OpenCase("failed_challenge", "a"),)


def test_null_is_no_response_and_not_a_wrong_one():
    question = asked(Item("a", 1, FREE))
    question = again(reply(question, 1, [Answer("a", "mine", WRONG)], 5).question)
    step = reply(question, 2, [Answer("a", "mine", NO_PROOF)], 5)
    assert step.question.items[0].wrong == 1
    assert step.effects == (OpenCase("unproven", "a"),)


def test_only_the_item_with_the_wrong_response_is_asked_again():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE))
    step = reply(question, 1, [Answer("a", "mine", MET), Answer("b", "mine", WRONG)], 5)
    assert states(step.question) == [SETTLED, FREE]
    assert again(step.question).attempt == Attempt(2, OPEN, ("b",))


def test_suspected_fraud_freezes_the_question_and_every_item_goes_to_the_office_with_a_case():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE), Item("c", 2, HELD))
    step = reply(question, 1, [Answer("a", "suspected_fraud"), Answer("b", "mine", MET)], 5)
    assert step.question.frozen
    assert states(step.question) == [OFFICE, OFFICE, OFFICE]
    assert set(step.effects) == {
        OpenCase("suspected_fraud", "a"),
        OpenCase("unproven", "b"),
        OpenCase("unsure", "c"),
    }


def test_what_was_settled_before_a_freeze_stays_settled():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE))
    question = again(reply(question, 1, [Answer("a", "not_mine"), Answer("b", "mine", WRONG)], 5).question)
    step = reply(question, 2, [Answer("b", "suspected_fraud")], 6)
    assert states(step.question) == [SETTLED, OFFICE]


@pytest.mark.parametrize("late", ["closed", "closing", "another"])
def test_a_late_reply_settles_nothing(late):
    question = asked(Item("a", 1, FREE))
    if late == "closed":
        question = declined(question).question
    elif late == "closing":
        question = withdraw(question).question
    number = 7 if late == "another" else 1
    assert reply(question, number, [Answer("a", "mine", MET)], 5).question == question


def test_a_late_report_of_fraud_still_opens_a_case_and_settles_nothing():
    question = withdraw(asked(Item("a", 1, FREE))).question
    step = reply(question, 1, [Answer("a", "suspected_fraud")], 5)
    assert step.question == question
    assert step.effects == (OpenCase("suspected_fraud", "a"),)


# ---- other ends ----------------------------------------------------------------------------------------------------


def test_a_declined_request_ends_the_whole_question():
    assert states(declined(asked(Item("a", 1, FREE), Item("b", 2, HELD))).question) == [DECLINED, DECLINED]


def test_only_an_open_request_can_be_declined():
    question = asked(Item("a", 1, FREE), state=SENDING)
    assert declined(question).question == question


def test_a_refused_ask_ends_the_whole_question_as_undeliverable():
    question = asked(Item("a", 1, FREE), Item("b", 2, HELD), state=SENDING)
    assert states(refused_by_provider(question).question) == [UNDELIVERABLE, UNDELIVERABLE]


def test_a_request_that_ends_early_frees_its_items_and_the_pause_before_the_next_grows():
    question, pauses = made(Item("a", 1, FREE)), []
    for _ in range(8):
        step = begin(question, now=1, after_early_end=question.attempts > 0)
        pauses.append(step.effects[0].pause_seconds)
        question = request_ended(ask_taken(step.question))
        assert states(question) == [FREE]
    assert pauses == [0, 0, 0, 0, 5, 10, 20, 40]


def test_time_over_ends_what_is_open_and_takes_the_request_back():
    step = expire(asked(Item("a", 1, FREE), Item("b", 2, HELD)))
    assert states(step.question) == [EXPIRED, EXPIRED]
    assert step.effects == (Cancel(1, "expired"),)
    assert step.question.attempt.state == CLOSING


def test_a_waiting_question_expires_without_a_message():
    step = expire(made(Item("a", 1, HELD)))
    assert (states(step.question), step.effects) == ([EXPIRED], ())


def test_withdrawing_takes_the_request_back_and_withdrawing_twice_is_withdrawn_again():
    step = withdraw(asked(Item("a", 1, FREE)))
    assert step.effects == (Cancel(1, "withdrawn"),)
    assert withdraw(step.question).question == step.question


def test_an_ask_that_may_never_have_left_is_taken_back_as_such():
    assert withdraw(asked(Item("a", 1, FREE), state=SENDING)).effects == (Cancel(1, "withdrawn", taken=False),)


@pytest.mark.parametrize(
    "question",
    [
        reply(asked(Item("a", 1, FREE), Item("b", 2, HELD)), 1, [Answer("a", "not_mine")], 5).question,
        reply(asked(Item("a", 1, FREE)), 1, [Answer("a", "mine", WRONG)], 5).question,
        expire(made(Item("a", 1, HELD))).question,
        declined(asked(Item("a", 1, FREE))).question,
    ],
)
def test_it_is_too_late_to_withdraw_after_a_reply_or_another_end(question):
    assert withdraw(question) is None


def test_a_question_whose_items_were_taken_by_others_counts_as_withdrawn():
    question = supersede(made(Item("a", 2, HELD)), "a").question
    assert withdraw(question).question == question


# ---- taking an answer back -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("verdict", "proof"), [("mine", MET), ("mine", NO_PROOF), ("not_mine", NO_PROOF)])
def test_a_revised_item_goes_to_an_officer_whatever_it_says_now(verdict, proof):
    question = reply(asked(Item("a", 1, FREE)), 1, [Answer("a", "not_mine")], 5).question
    step = revise(question, [Answer("a", verdict, proof)], 9)
    assert step.question.items[0].outcome == (
        OFFICE,
        verdict,
        proof == MET,
        "challenge" if proof == MET else "tap",
        9,
    )
    assert step.effects == (OpenCase("revision", "a"),)


def test_a_revised_item_is_pulled_out_of_its_new_attempt_and_the_others_follow_in_another():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE))
    question = reply(question, 1, [Answer("a", "mine", WRONG), Answer("b", "mine", WRONG)], 5).question
    step = revise(again(question), [Answer("a", "unsure")], 9)
    assert states(step.question) == [OFFICE, FREE]
    assert step.effects == (Cancel(2, "withdrawn"), OpenCase("revision", "a"))
    assert begin(attempt_closed(step.question), now=9).effects == (Begin(3, ("b",)),)


def test_a_revised_item_that_is_not_being_asked_leaves_the_open_attempt_alone():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE))
    question = again(reply(question, 1, [Answer("a", "not_mine"), Answer("b", "mine", WRONG)], 5).question)
    step = revise(question, [Answer("a", "mine")], 9)
    assert step.question.attempt == question.attempt
    assert states(step.question) == [OFFICE, ASKED]


def test_fraud_in_a_revision_freezes_the_question_and_its_open_request():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE))
    question = again(reply(question, 1, [Answer("a", "not_mine"), Answer("b", "mine", WRONG)], 5).question)
    step = revise(question, [Answer("a", "suspected_fraud")], 9)
    assert (step.question.frozen, states(step.question)) == (True, [OFFICE, OFFICE])
    assert Cancel(2, "frozen") in step.effects
    assert {case.item_id for case in step.effects if isinstance(case, OpenCase)} == {"a", "b"}


def test_what_followed_for_another_from_a_revised_answer_is_doubted():
    settled = reply(asked(Item("a", 2, FREE)), 1, [Answer("a", "mine", MET)], 5).question
    step = doubt(settled, "a")
    assert states(step.question) == [OFFICE]
    assert step.question.items[0].proven
    assert step.effects == (OpenCase("revision", "a"),)


def test_what_officers_decided_for_another_is_not_doubted():
    decided = confirm(made(Item("a", 2, OFFICE, said="mine", answered_at=4)), "a").question
    assert doubt(decided, "a").question == decided


# ---- officers ------------------------------------------------------------------------------------------------------


def office(**more):
    return made(Item("a", 1, OFFICE, said="mine", answered_at=4, **more))


def test_officers_confirm_or_reject():
    assert confirm(office(), "a").question.items[0].outcome == (SETTLED, "mine", True, "officer", 4)
    assert reject(office(), "a").question.items[0].outcome == (SETTLED, "not_mine", False, "officer", 4)


def test_a_reopened_decision_counts_no_longer_and_what_the_citizen_said_does_again():
    item = reopen(reject(office(), "a").question, "a").items[0]
    assert item.outcome == (OFFICE, "mine", False, "tap", 4)


def test_a_citizen_who_takes_back_an_answer_that_officers_decided_about_is_heard():
    step = revise(reject(office(), "a").question, [Answer("a", "mine", MET)], 9)
    assert step.question.items[0].outcome == (OFFICE, "mine", True, "challenge", 9)


def test_an_officer_opens_a_dispute_only_on_an_end():
    settled = reply(asked(Item("a", 1, FREE)), 1, [Answer("a", "mine", MET)], 5).question
    assert dispute(settled, "a").effects == (OpenCase("dispute", "a"),)
    waiting = made(Item("a", 1, HELD))
    assert dispute(waiting, "a").question == waiting


def test_a_disputed_item_ends_by_a_decision():
    disputed = contest(office(met=True), "a").question
    assert states(disputed) == [DISPUTED]
    assert states(confirm(disputed, "a").question) == [SETTLED]


def test_an_unfrozen_question_leaves_no_item_without_a_case():
    question = asked(Item("a", 1, FREE), Item("b", 1, FREE))
    frozen = reply(question, 1, [Answer("a", "suspected_fraud"), Answer("b", "unsure")], 5).question
    step = unfreeze(frozen)
    assert not step.question.frozen
    assert step.effects == (OpenCase("unsure", "a"),)
    assert reopen(step.question, "a").frozen, "and can be frozen again"


# ---- dead letters --------------------------------------------------------------------------------------------------


def test_a_dead_letter_ends_the_question_until_it_is_revived_in_the_same_attempt():
    dead = dead_letter(asked(Item("a", 1, FREE), state=SENDING)).question
    assert states(dead) == [UNDELIVERABLE]
    revived = revive(dead)
    assert states(revived) == [HELD]
    freed = replace(revived, items=(replace(revived.items[0], state=FREE),))
    assert begin(freed, now=9).effects == (Begin(1, ("a",)),)


def test_a_revived_question_with_fewer_items_is_another_ask_and_another_attempt():
    dead = dead_letter(asked(Item("a", 1, FREE), Item("b", 1, FREE), state=SENDING)).question
    freed = replace(dead, items=(replace(dead.items[0], state=FREE), replace(dead.items[1], state=WITHDRAWN)))
    assert begin(freed, now=9).effects == (Begin(2, ("a",)),)


def test_what_ended_otherwise_is_not_revived():
    refused = refused_by_provider(asked(Item("a", 1, FREE), state=SENDING)).question
    assert revive(refused) == refused


# ---- what is told --------------------------------------------------------------------------------------------------


def test_a_later_change_is_a_new_entry_and_no_change_is_none():
    before = reply(
        asked(Item("a", 1, FREE), Item("b", 1, FREE)), 1, [Answer("a", "not_mine"), Answer("b", "unsure")], 5
    )
    after = reject(before.question, "b").question
    assert [item.item_id for item in entries(before.question, after)] == ["b"]
    assert entries(after, after) == []


def test_without_a_reply_verdict_and_time_are_null():
    ended = expire(asked(Item("a", 1, FREE))).question
    assert entries(None, ended)[0].outcome == (EXPIRED, None, False, "none", None)


def test_each_end_is_an_event_once():
    ended = expire(asked(Item("a", 1, FREE), Item("b", 1, FREE))).question
    assert events(None, ended) == ["created", "expired"]
    assert events(ended, ended) == []
