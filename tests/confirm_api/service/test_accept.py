"""`landquestions` (protocol §3, §4, §5) on both databases."""

import threading

import pytest
from sqlalchemy import event, insert

from confirm_api.store.tables import people, questions
from tests.confirm_api.service.helpers import citizen, ident, parcel, question, said


def lists(receipt):
    refused = [(one["question_id"], one["why"]) for one in receipt["refused"]]
    return receipt["accepted"], receipt["duplicates"], refused


def test_every_question_stands_in_exactly_one_list(story):
    story.post(question("known", 1), question("other", 2))
    receipt = story.post(
        question("new", 3),
        question("known", 1),
        question("other", 2, priority=0.7),
        question("wrong", 4, citizen_id="12345"),
        question("child", 5, citizen_id="045215000001"),
    )
    assert lists(receipt) == (
        [ident("new")],
        [ident("known")],
        [(ident("wrong"), "invalid"), (ident("other"), "conflict"), (ident("child"), "not_askable")],
    )


def test_the_same_content_is_the_same_after_rfc_8785(story):
    story.post(question("one", 1, parcel("a", area_m2=200), priority=1))
    assert story.post(question("one", 1, parcel("a", area_m2=200.0), priority=1.0))["duplicates"] == [ident("one")]


@pytest.mark.parametrize("other", [{"citizen_id": citizen(2)}, {"expires_in": 86_401}, {"priority": 0.1}])
def test_a_known_id_with_other_content_is_a_conflict(story, other):
    story.post(question("one", 1))
    assert lists(story.post(question("one", 1, **other)))[2] == [(ident("one"), "conflict")]


@pytest.mark.parametrize("status", ["deceased", "emigrated", "minor"])
def test_who_is_not_alive_here_is_not_askable(story, status):
    handle = story.units.vault.handle_of(citizen(1), create=True)
    with story.units.begin() as unit:
        unit.conn.execute(insert(people).values(handle=handle, status=status))
    assert lists(story.post(question("one", 1)))[2] == [(ident("one"), "not_askable")]


def test_whoever_may_still_be_under_eighteen_is_not_askable(story):
    receipt = story.post(  # the test's clock stands in November 2025
        question("old", 1, citizen_id="045206000001"), question("young", 2, citizen_id="045207000001")
    )
    assert lists(receipt) == ([ident("old")], [], [(ident("young"), "not_askable")])


def test_the_fourth_question_in_90_days_is_too_much_also_within_one_batch(story, clock):
    receipt = story.post(*(question(f"q{number}", 1) for number in range(4)))
    assert lists(receipt) == ([ident(f"q{number}") for number in range(3)], [], [(ident("q3"), "too_many_asks")])
    assert story.state("q0") == "sent"
    assert story.state("q1") == "created"


def test_a_question_that_ended_without_being_asked_does_not_count(story):
    story.post(*(question(f"q{number}", 1) for number in range(3)))
    story.withdraw("q2")
    assert story.post(question("q3", 1))["accepted"] == [ident("q3")]


def test_asks_count_for_90_days(story, clock):
    for number in range(3):
        story.post(question(f"q{number}", 1))
        story.asks(f"q{number}", said(f"item of q{number}", "not_mine"))
    clock.move(90 * 86_400 - 1)
    assert lists(story.post(question("early", 1)))[2] == [(ident("early"), "too_many_asks")]
    clock.move(1)
    assert story.post(question("late", 1))["accepted"] == [ident("late")]


def test_a_new_attempt_is_no_new_ask(story):
    story.post(question("one", 1, parcel("a")), question("two", 1, parcel("b")))
    story.asks("one", said("a", "mine", "0000"))
    assert story.attempt("one").attempt == 2
    assert story.post(question("three", 1))["accepted"] == [ident("three")]


def test_one_open_question_per_citizen_the_others_wait_as_created(story):
    story.post(question("one", 1), question("two", 1))
    assert (story.state("one"), story.state("two")) == ("sent", "created")
    story.asks("one", said("item of one", "not_mine"))
    assert (story.state("one"), story.state("two")) == ("ended", "sent")


def test_items_wait_for_lower_ranks_also_of_the_same_batch(story):
    story.post(question("two", 2, parcel("a", rank=2)), question("one", 1, parcel("a", rank=1)))
    assert (story.states("one"), story.states("two")) == (["asked"], ["held"])
    assert story.state("two") == "created"


def test_a_question_is_sent_with_its_free_items_and_the_released_follow_in_a_later_attempt(story):
    story.post(question("first", 1, parcel("a")), question("second", 2, parcel("a", rank=2), parcel("b")))
    assert story.states("second") == ["held", "asked"]
    story.asks("first", said("a", "not_mine"))
    assert story.states("second") == ["free", "asked"], "at most one attempt is open"
    story.asks("second", said("b", "not_mine"))
    assert story.states("second") == ["asked", "settled"]
    assert story.attempt("second").attempt == 2


def test_a_question_for_an_item_that_somebody_has_ends_as_withdrawn_at_once(story):
    story.post(question("one", 1, parcel("a")))
    story.asks("one", said("a", "mine", "6864"))
    story.post(question("two", 2, parcel("a", rank=1)))
    assert story.states("two") == ["withdrawn"]
    assert story.state("two") == "ended"


def test_a_batch_is_a_handful_of_statements_however_many_questions_it_has(story):
    counts = []
    for number in (1, 100):
        count = []
        listen = lambda *_told, count=count: count.append(1)  # noqa: E731 - one line of bookkeeping
        event.listen(story.units.engine, "before_cursor_execute", listen)
        story.post(
            *(
                question(
                    f"q{number}-{one}", 1_000 * number + one, parcel(f"{number}-{one}"), parcel(f"{number}-{one}x")
                )
                for one in range(number)
            )
        )
        event.remove(story.units.engine, "before_cursor_execute", listen)
        counts.append(len(count))
    assert counts[1] <= counts[0] + 2
    assert counts[1] <= 20


def test_what_is_stored_of_a_parcel_says_nothing_without_the_citizens_key(story):
    story.post(question("one", 1, parcel("a", co_owner_name="Trần Thị Hoa", serial="AD 266864")))
    row = story.item("one", "a")
    assert not [word for word in (b"266864", b"Hoa", citizen(1).encode()) if word in row.box]
    opened = story.units.vault.open(story.row("one").handle, f"items/{row.question_no}/{ident('a')}/box", row.box)
    assert opened["certificate_serial"] == "AD 266864"


def test_each_accepted_question_is_an_event_of_the_log(story):
    story.post(question("one", 1), question("two", 2))
    assert [(leaf["event"], leaf["outcome"], leaf["reason"]) for leaf in story.leaves()] == [
        ("state", "accepted", "created")
    ] * 2


@pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)
@pytest.mark.needs("postgresql")
def test_batches_at_the_same_time_lose_nothing_and_ask_each_item_of_one_citizen(story):
    """Twelve threads post questions about the same ten parcels, in different orders."""
    failures = []

    def post(number):
        try:
            for one in range(5):
                ranks = [(number * 7 + one * 3 + step) % 10 for step in range(3)]
                parcels = [parcel(f"i{rank}", rank=number + 1) for rank in sorted(set(ranks), reverse=number % 2 == 0)]
                story.post(question(f"q{number}-{one}", number * 10 + one, *parcels))
        except Exception as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    threads = [threading.Thread(target=post, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(story.rows(questions)) == 60
    for item in range(10):
        held = [story.item(f"q{n}-{o}", f"i{item}") for n in range(12) for o in range(5) if _has(story, n, o, item)]
        assert [row.state for row in held].count("asked") == 1


def _has(story, number, one, item):
    return item in {(number * 7 + one * 3 + step) % 10 for step in range(3)}
