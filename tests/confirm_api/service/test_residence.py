"""`residence` (protocol §3): the same answer for whoever has nothing, whatever the reason."""

import pytest
from sqlalchemy import insert

from confirm_api import service
from confirm_api.errors import ContentError
from confirm_api.office.acceptance import parcel_context
from confirm_api.store.tables import accepted_parcels, people, runs
from exchange import payloads
from tests.confirm_api.service.helpers import PEER, citizen

HOME = {"parcel_code": "w7kz3n9qhx2p", "address": "Thôn 3", "certificate_serial": "AD 266864", "role": "owner"}


def ask(story, who, case_no="case 1"):
    asked = {"citizen_id": citizen(who), "case_no": case_no, "purpose": "residence_registration"}
    with story.units.begin() as unit:
        answer = service.residence(unit, payloads.parse("residence+jwt", asked), PEER)
    payloads.parse("residence-reply+jwt", answer.content)
    return answer.content


def accept(story, who, *, residential=True, active=True, status=None):
    handle = story.units.vault.handle_of(citizen(who), create=True)
    with story.units.begin() as unit:
        values = {"run_hash": f"{who:064}", "accepted_at": 7, "active": active}
        run = unit.conn.execute(insert(runs).values(values).returning(runs.c.no)).scalar_one()
        sealed = unit.vault.seal(handle, parcel_context(run, handle), HOME)
        row = {"run_no": run, "handle": handle, "residential": residential, "box": sealed}
        unit.conn.execute(insert(accepted_parcels).values(row))
        if status:
            unit.conn.execute(insert(people).values(handle=handle, status=status))


def test_residential_parcels_of_an_accepted_link_are_told(story):
    accept(story, 1)
    assert ask(story, 1) == {
        "citizen_id": citizen(1),
        "case_no": "case 1",
        "has_residential_parcel": True,
        "parcels": [HOME],
        "as_of": "1970-01-01",
    }


@pytest.mark.parametrize("more", [{"residential": False}, {"active": False}, {"status": "deceased"}])
def test_other_parcels_other_runs_and_the_dead_have_none(story, more):
    accept(story, 1, **more)
    found = ask(story, 1)
    assert (found["has_residential_parcel"], found["parcels"]) == (False, [])


def test_unknown_deceased_and_landless_citizens_get_the_same(story):
    accept(story, 9, residential=False)
    accept(story, 1, status="deceased", active=False)
    answers = [ask(story, who, f"case {who}") for who in (1, 2)]
    assert len({str({**one, "citizen_id": "", "case_no": ""}) for one in answers}) == 1


def test_the_same_case_with_another_citizen_is_refused_and_with_the_same_one_told_again(story):
    accept(story, 1)
    assert ask(story, 1) == ask(story, 1)
    with pytest.raises(ContentError):
        ask(story, 2)
    assert ask(story, 2, "case 2")["parcels"] == []
