"""`landwithdraw` and `landcollect` (protocol §3)."""

import pytest

from confirm_api.errors import ContentError
from confirm_api.service import engine_side
from tests.confirm_api.service.helpers import citizen, ident, parcel, question, said


def test_each_id_stands_in_exactly_one_list(story):
    story.post(question("open", 1), question("answered", 2, parcel("a"), parcel("b")))
    story.asks("answered", said("a", "mine", "0000"), said("b", "not_mine"))
    receipt = story.withdraw("open", "answered", "never posted")
    assert receipt["withdrawn"] == [ident("open")]
    assert receipt["too_late"] == [ident("answered")]
    assert receipt["unknown"] == [ident("never posted")]


def test_withdrawing_twice_is_withdrawn_again_also_after_a_late_reply(story):
    story.post(question("one", 1))
    story.taken("one")
    assert story.withdraw("one")["withdrawn"] == [ident("one")]
    story.cancelled("one")
    story.says("one", said("item of one", "mine", "6864"))
    assert story.withdraw("one")["withdrawn"] == [ident("one")]
    assert len(story.deliveries("landcancel+jwt")) == 1


def test_a_withdrawn_question_releases_its_items_and_its_citizen(story):
    story.post(question("one", 1, parcel("a")), question("next", 1, parcel("b")), question("two", 2, parcel("a", 2)))
    story.taken("one")
    story.withdraw("one")
    assert story.states("one") == ["withdrawn"]
    assert story.state("next") == "sent"
    assert story.states("two") == ["asked"]


def test_entries_come_in_the_order_of_their_numbers_and_the_same_after_gives_the_same_first(story):
    story.post(*(question(f"q{number}", number) for number in range(3)))
    story.asks("q1", said("item of q1", "not_mine"))
    story.asks("q0", said("item of q0", "unsure"))
    first = story.collect()
    assert [one["question_id"] for one in first["answers"]] == [ident("q1"), ident("q0")]
    story.asks("q2", said("item of q2", "mine", "6864"))
    again = story.collect()
    assert again["answers"][:2] == first["answers"]
    assert story.collect(first["next"])["answers"] == again["answers"][2:]


def test_next_is_unchanged_when_nothing_is_new(story):
    start = story.collect()
    assert (start["answers"], story.collect(start["next"])["next"]) == ([], start["next"])
    story.post(question("one", 1))
    story.asks("one", said("item of one", "not_mine"))
    last = story.collect(start["next"])["next"]
    assert story.collect(last) == {"answers": [], "next": last}


def test_at_most_limit_entries_come(story):
    story.post(*(question(f"q{number}", number) for number in range(3)))
    story.withdraw("q0", "q1", "q2")
    found = story.collect(limit=2)
    assert len(found["answers"]) == 2
    assert len(story.collect(found["next"], limit=2)["answers"]) == 1


@pytest.mark.parametrize("after", ["-1", "x", "01", "7", "9" * 60, "¹"])
def test_an_after_that_was_never_given_is_refused(story, after):
    with pytest.raises(ContentError):
        story.collect(after)


def test_an_entry_says_all_the_protocol_names(story):
    story.post(question("one", 1, parcel("a"), parcel("b", serial=None), parcel("c")))
    story.asks("one", said("a", "mine", "6864"), said("b", "mine"), said("c", "mine", "0000"))
    story.taken("one")
    story.fetch_error("one", "access_denied")
    assert story.collect()["answers"] == [
        entry("a", "settled", "mine", "challenge", story.clock()),
        entry("b", "office", "mine", "tap", story.clock()),
        entry("c", "declined", "mine", "tap", story.clock()),
    ]


def entry(item, state, verdict, evidence, answered_at):
    return {
        "question_id": ident("one"),
        "item_id": ident(item),
        "citizen_id": citizen(1),
        "state": state,
        "verdict": verdict,
        "proven": evidence == "challenge",
        "evidence_level": evidence,
        "answered_at": answered_at,
    }


def test_without_a_reply_verdict_and_time_are_null(story):
    story.post(question("one", 1))
    story.withdraw("one")
    found = story.collect()["answers"][0]
    assert (found["verdict"], found["answered_at"], found["proven"], found["evidence_level"]) == (
        None,
        None,
        False,
        "none",
    )


def test_entries_of_an_erased_citizen_are_left_out(story):
    story.post(question("one", 1), question("two", 2))
    story.withdraw("one", "two")
    story.units.vault.erase(story.row("one").handle)
    found = story.collect()
    assert [one["question_id"] for one in found["answers"]] == [ident("two")]
    assert found["next"] == "2"


def test_a_full_answer_fits_into_a_sealed_message():
    widest = entry("a", "undeliverable", "suspected_fraud", "challenge", 1_764_000_000)
    widest |= {"question_id": "A" * 64, "item_id": "A" * 64, "citizen_id": "0" * 12}
    assert len(str(widest).encode()) * engine_side.MOST_ENTRIES * 16 / 9 < 262_144 - 2_000
