"""The ping, `landrevise` and `landdecl` (protocol §3)."""

from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from confirm_api.errors import ContentError
from confirm_api.office.acceptance import parcel_context
from confirm_api.service import citizen_side
from confirm_api.store.tables import accepted_parcels, cases, revisions, runs
from tests.confirm_api.service.helpers import ident, parcel, question, said


def kinds(story):
    return sorted(row.kind for row in story.rows(cases))


# ---- the ping ------------------------------------------------------------------------------------------------------


def test_a_ping_lets_the_reply_be_fetched_now(story, clock):
    story.post(question("one", 1))
    story.taken("one", interval=60)
    assert story.attempt("one").poll_at == clock() + 60
    assert story.ping("one")
    assert story.attempt("one").poll_at == clock()


def test_a_ping_with_another_token_or_another_request_is_refused(story):
    story.post(question("one", 1), question("two", 2))
    story.taken("one")
    story.taken("two")
    assert not story.ping("one", token=ident("unknown"))
    assert not story.ping("one", token=story.tokens[story.attempt("two").no])
    assert not story.ping("one", auth_req_id=ident("unknown"))


def test_earlier_tokens_of_the_attempt_stay_good(story):
    story.post(question("one", 1))
    earlier = story.sent("one")
    story.taken("one")
    assert story.ping("one", token=earlier)


def test_a_ping_after_the_end_is_taken_without_effect(story, clock):
    story.post(question("one", 1))
    story.asks("one", said("item of one", "not_mine"))
    assert story.ping("one")
    assert story.attempt("one").poll_at is None
    assert [leaf["outcome"] for leaf in story.leaves() if leaf["event"] == "callback"] == ["duplicate"]


def test_a_ping_that_overtakes_the_answer_to_the_ask_is_not_lost(story, clock):
    story.post(question("one", 1))
    token = story.sent("one")
    assert story.ping("one", auth_req_id=ident(f"request {story.attempt('one').no}"), token=token)
    story.taken("one", interval=60)
    assert story.attempt("one").poll_at == clock()


def test_a_ping_that_meets_the_answer_to_the_ask_belongs_to_it_and_to_no_other(story, units):
    story.post(question("one", 1), question("two", 2))
    requests = {name: story.taken(name) and story.attempt(name) for name in ("one", "two")}
    seen_before = SimpleNamespace(no=requests["one"].no, auth_req_id=None)
    with units.begin() as unit:
        assert citizen_side._belongs(unit, seen_before, requests["one"].auth_req_id)
        assert not citizen_side._belongs(unit, seen_before, requests["two"].auth_req_id)


def test_a_ping_during_a_fetch_is_not_lost(story, clock):
    story.post(question("one", 1))
    story.taken("one", interval=60)
    clock.move(60)
    story.ping("one")
    story.fetch_error("one", "authorization_pending")
    assert story.attempt("one").poll_at == clock()


# ---- landrevise ----------------------------------------------------------------------------------------------------


def test_a_revised_answer_is_undone_and_goes_to_an_officer(story, clock):
    story.post(question("one", 1, parcel("a")))
    story.asks("one", said("a", "mine", "6864"))
    clock.move(60)
    assert story.revise("one", said("a", "not_mine"))["revises"] == story.attempt("one").auth_req_id
    assert story.states("one") == ["office"]
    assert kinds(story) == ["revision"]
    assert [(one["state"], one["verdict"], one["proven"]) for one in story.collect()["answers"]] == [
        ("settled", "mine", True),
        ("office", "not_mine", False),
    ]


def test_whoever_is_being_asked_because_of_it_is_asked_no_further(story, clock):
    story.post(
        question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)), question("three", 3, parcel("a", 3))
    )
    story.asks("one", said("a", "not_mine"))
    story.taken("two")
    story.revise("one", said("a", "mine"))
    assert (story.states("one"), story.states("two"), story.states("three")) == (
        ["office"],
        ["withdrawn"],
        ["withdrawn"],
    )
    assert [row.reason for row in story.deliveries("landcancel+jwt")] == ["withdrawn"]


def test_a_claim_that_was_settled_because_of_it_goes_to_an_officer_too(story, clock):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    story.asks("one", said("a", "not_mine"))
    story.asks("two", said("a", "mine", "6864"))
    story.revise("one", said("a", "unsure"))
    assert (story.states("one"), story.states("two")) == (["office"], ["office"])


def test_two_proven_claims_on_one_item_are_disputed(story, clock):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    story.asks("one", said("a", "not_mine"))
    story.asks("two", said("a", "mine", "6864"))
    story.revise("one", said("a", "mine", "6864"))
    assert (story.states("one"), story.states("two")) == (["disputed"], ["disputed"])
    assert kinds(story).count("dispute") == 2


def test_the_same_revision_has_one_effect_and_gets_the_same_answer(story, clock):
    story.post(question("one", 1, parcel("a")))
    story.asks("one", said("a", "mine", "6864"))
    first = story.revise("one", said("a", "not_mine"), at=clock() + 1)
    assert story.revise("one", said("a", "not_mine"), at=clock() + 1) == first
    assert len(story.rows(revisions)) == 1
    with pytest.raises(ContentError):
        story.revise("one", said("a", "unsure"), at=clock() + 1)


def test_a_later_revision_is_taken_too_and_an_older_one_that_comes_late_changes_nothing(story, clock):
    story.post(question("one", 1, parcel("a"), parcel("b")))
    story.asks("one", said("a", "mine", "6864"), said("b", "mine", "6864"))
    story.revise("one", said("a", "not_mine"), at=clock() + 9)
    story.revise("one", said("a", "unsure"), said("b", "unsure"), at=clock() + 5)
    assert (story.item("one", "a").verdict, story.item("one", "b").verdict) == ("not_mine", "unsure")
    story.revise("one", said("a", "mine", "6864"), at=clock() + 10)
    assert story.item("one", "a").verdict == "mine"


def test_an_unknown_or_unanswered_request_another_citizen_and_other_items_are_refused(story, clock):
    story.post(question("one", 1, parcel("a"), parcel("b", serial=None)))
    story.taken("one")
    with pytest.raises(ContentError, match="was answered"):
        story.revise("one", said("a", "unsure"))
    story.says("one", said("a", "not_mine"), said("b", "not_mine"))
    with pytest.raises(ContentError, match="citizen who answered"):
        story.revise("one", said("a", "unsure"), who=2)
    with pytest.raises(ContentError, match="items of the attempt"):
        story.revise("one", said("c", "unsure"))
    with pytest.raises(ContentError, match="no challenge was set"):
        story.revise("one", said("b", "mine", "6864"))
    assert story.states("one") == ["settled", "settled"]


def test_revising_a_late_reply_touches_nobody_else(story, clock):
    story.post(question("one", 1, parcel("a")), question("two", 2, parcel("a", 2)))
    story.taken("one")
    story.withdraw("one")
    story.cancelled("one")
    story.says("one", said("a", "not_mine"))
    story.asks("two", said("a", "mine", "6864"))
    story.revise("one", said("a", "unsure"))
    assert (story.states("one"), story.states("two")) == (["office"], ["settled"])


def test_corrections_are_proposals_for_an_officer(story, clock):
    story.post(question("one", 1, parcel("a")))
    story.asks("one", said("a", "mine", "6864", [{"field": "full_name", "value": "Nguyễn Văn Đức"}]))
    assert story.states("one") == ["settled"]
    assert kinds(story) == ["correction"]
    assert b"Nguy" not in story.rows(cases)[0].box


# ---- landdecl ------------------------------------------------------------------------------------------------------


def test_a_declaration_waits_for_an_officer_once(story):
    assert story.declare("d", 1)["status"] == "queued_for_review"
    assert story.declare("d", 1)["status"] == "queued_for_review"
    assert kinds(story) == ["declaration"]


def test_the_same_declaration_with_other_content_is_refused(story):
    story.declare("d", 1)
    for other in ({"certificate_serial": "AD 1"}, {"sub": "045085000002"}):
        with pytest.raises(ContentError):
            story.declare("d", 1, **other)


def test_a_certificate_of_an_accepted_parcel_is_matched(story):
    handle = story.units.vault.handle_of("045085000001", create=True)
    with story.units.begin() as unit:
        no = unit.conn.execute(insert(runs).values(run_hash="0" * 64, accepted_at=1, active=True).returning(runs.c.no))
        run = no.scalar_one()
        box = {"parcel_code": "x", "address": None, "certificate_serial": "ad-266864", "role": "owner"}
        sealed = unit.vault.seal(handle, parcel_context(run, handle), box)
        unit.conn.execute(insert(accepted_parcels).values(run_no=run, handle=handle, residential=False, box=sealed))
    assert story.declare("d", 1)["status"] == "matched"
    assert story.declare("e", 1, on_behalf_of={"name": "x", "reason": "y"})["status"] == "queued_for_review"
    assert story.declare("f", 2)["status"] == "queued_for_review"
