"""The sentences of protocol §4 about several questions, each as a test."""

import pytest

from confirm_api.candidates import DAY_SECONDS, Board, Claim, arbitrate, may_be_asked, next_to_ask
from confirm_api.question import (
    ASKED,
    DECLINED,
    DISPUTED,
    EXPIRED,
    FREE,
    HELD,
    OFFICE,
    OPEN,
    SETTLED,
    UNDELIVERABLE,
    WITHDRAWN,
    Attempt,
    Item,
    Question,
)


def claims(*told):
    return [Claim(number, Item("a", rank, state, **more)) for number, (rank, state, more) in enumerate(told, start=1)]


def claim(rank, state, **more):
    return rank, state, more


MINE = {"said": "mine", "met": True}


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        ([claim(1, HELD), claim(2, HELD)], {1: FREE}),
        ([claim(2, HELD), claim(1, HELD)], {2: FREE}),
        ([claim(3, HELD), claim(5, HELD)], {1: FREE}),  # a rank that nobody posted is skipped
        ([claim(1, HELD), claim(1, HELD)], {1: FREE}),  # of equal ranks the earlier accepted
        ([claim(2, ASKED), claim(1, HELD)], {}),  # a lower rank that comes later waits while somebody is asked
        ([claim(2, FREE), claim(1, HELD)], {1: HELD, 2: FREE}),  # and goes first while nobody is
        ([claim(1, FREE), claim(2, HELD)], {}),
        ([claim(1, SETTLED, said="not_mine"), claim(2, HELD), claim(3, HELD)], {2: FREE}),  # one at a time
        ([claim(1, DECLINED), claim(2, HELD)], {2: FREE}),
        ([claim(1, EXPIRED), claim(2, HELD)], {2: FREE}),
        ([claim(1, UNDELIVERABLE), claim(2, HELD)], {2: FREE}),
        ([claim(1, WITHDRAWN), claim(2, HELD)], {2: FREE}),
        ([claim(1, SETTLED, **MINE), claim(2, HELD), claim(3, HELD)], {2: WITHDRAWN, 3: WITHDRAWN}),
        ([claim(1, OFFICE), claim(2, HELD)], {2: WITHDRAWN}),
        ([claim(1, DISPUTED), claim(2, HELD)], {2: WITHDRAWN}),
        ([claim(1, SETTLED, **MINE), claim(1, HELD)], {2: WITHDRAWN}),  # and whoever comes later
        ([claim(2, SETTLED, **MINE), claim(1, HELD)], {2: FREE}),  # but a lower rank waits behind nobody
        ([claim(3, OFFICE), claim(1, HELD), claim(2, HELD), claim(4, HELD)], {2: FREE, 4: WITHDRAWN}),
        ([claim(3, DISPUTED), claim(1, HELD), claim(2, ASKED)], {}),  # one at a time
        ([claim(1, OFFICE), claim(2, ASKED)], {2: WITHDRAWN}),  # an answer was taken back
        ([claim(1, ASKED), claim(2, OFFICE)], {}),  # a frozen question behind does not stop who is asked
        ([claim(1, OFFICE, **MINE), claim(2, SETTLED, **MINE)], {1: DISPUTED, 2: DISPUTED}),
        ([claim(1, DISPUTED, **MINE), claim(2, DISPUTED, **MINE)], {}),
        ([claim(1, OFFICE, said="mine"), claim(2, SETTLED, **MINE)], {}),  # one of them is not proven
        ([claim(1, SETTLED, decided="mine"), claim(2, OFFICE, **MINE)], {1: DISPUTED, 2: DISPUTED}),
        ([claim(1, SETTLED, decided="not_mine", **MINE), claim(2, SETTLED, **MINE)], {}),
    ],
)
def test_who_has_an_item(told, changes):
    assert arbitrate(claims(*told)) == changes


def question(no, *items, handle="h", **more):
    return Question(no=no, handle=handle, accepted_at=0, expires_at=99, items=items, **more)


def test_one_question_of_a_citizen_is_open_the_others_wait():
    open_ = question(1, Item("a", 1, ASKED), attempt=Attempt(1, OPEN, ("a",)), attempts=1, asked_at=1)
    assert next_to_ask([open_, question(2, Item("b", 1, FREE))]) is None


@pytest.mark.parametrize(
    ("questions", "no"),
    [
        ([question(1, Item("a", 1, FREE)), question(2, Item("b", 1, FREE))], 1),
        ([question(1, Item("a", 1, FREE)), question(2, Item("b", 1, FREE), priority=0.9)], 2),
        ([question(1, Item("a", 1, FREE), priority=0.9), question(2, Item("b", 1, FREE), asked_at=1)], 2),
        ([question(1, Item("a", 1, HELD)), question(2, Item("b", 1, FREE))], 2),
        ([question(1, Item("a", 1, FREE), frozen=True), question(2, Item("b", 1, FREE))], 2),
        ([question(1, Item("a", 1, HELD))], None),
        ([question(1, Item("a", 1, SETTLED, said="not_mine"))], None),
    ],
)
def test_which_question_of_a_citizen_is_asked_next(questions, no):
    found = next_to_ask(questions)
    assert (None if found is None else found.no) == no


def test_an_ended_question_whose_request_is_being_taken_back_keeps_nobody_waiting():
    ended = question(1, Item("a", 1, WITHDRAWN), attempt=Attempt(1, "closing", ("a",)), attempts=1, asked_at=1)
    assert next_to_ask([ended, question(2, Item("b", 1, FREE))]).no == 2


def test_three_asks_in_90_days_and_waiting_questions_count_already():
    assert may_be_asked([], waiting=2, now=0)
    assert not may_be_asked([], waiting=3, now=0)
    assert not may_be_asked([1, 1], waiting=1, now=90 * DAY_SECONDS)
    assert may_be_asked([1, 1, 1], waiting=2, now=90 * DAY_SECONDS + 1)


def test_two_citizens_with_two_questions_each_never_wait_for_each_other():
    board = Board(
        1,
        {
            1: question(1, Item("a", 2), handle="x"),
            2: question(2, Item("b", 1), handle="x"),
            3: question(3, Item("b", 2), handle="y"),
            4: question(4, Item("a", 1), handle="y"),
        },
        {"a", "b"},
    )
    board.pass_on()
    board.begin()
    assert [one.state for one in board.current.values()] == ["created", "sent", "created", "sent"]


def test_who_may_not_be_asked_is_not_asked():
    board = Board(1, {1: question(1, Item("a", 1), handle="x")}, {"a"}, not_askable={"x"})
    board.pass_on()
    board.begin()
    assert board.effects == []


def test_an_item_whose_candidates_are_not_all_here_is_not_passed_on():
    board = Board(1, {1: question(1, Item("a", 1), Item("b", 1))}, {"a"})
    board.pass_on()
    assert [item.state for item in board.of(1).items] == [FREE, HELD]
