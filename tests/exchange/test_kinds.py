from __future__ import annotations

import pytest

from exchange.kinds import KINDS, ROLES, event_of, kind_at

TABLE = """
landquestions+jwt engine service /v1/questions landquestions-receipt+jwt
landwithdraw+jwt engine service /v1/questions/withdraw landwithdraw-receipt+jwt
landcollect+jwt engine service /v1/answers landanswers+jwt
landask+jwt service vneid /bc-authorize -
landcancel+jwt service vneid /cancel landcancel-receipt+jwt
landfetch+jwt service vneid /token landreply+jwt
landrevise+jwt vneid service /v1/revisions landrevise-receipt+jwt
landdecl+jwt vneid service /v1/declarations landdecl-receipt+jwt
residence+jwt police service /v1/residence-proofs residence-reply+jwt
"""


def test_the_kinds_are_those_of_the_protocols_table():
    told = [[k.typ, k.sender, k.receiver, k.path, k.answer or "-"] for k in KINDS.values()]
    assert told == [line.split() for line in TABLE.strip().splitlines()]


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_an_endpoint_takes_one_kind_between_two_roles(kind):
    assert kind_at(kind.path) is kind
    assert {kind.sender, kind.receiver} <= set(ROLES)
    assert kind.event == event_of(kind.typ) == kind.typ[:-4]
