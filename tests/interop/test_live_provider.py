"""`quychu vneid-sim` led by the second implementation's service: both suites, every kind, over HTTP."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tests.interop import conformance
from tests.interop.processes import Live, simulator
from tests.interop.second.envelope import Party
from tests.interop.second.keys import STATUSES, SUITES, make_key_set
from tests.interop.second.service import ServiceStub
from tests.interop.world import ProviderWorld, read_party

UNKNOWN, LEVEL_1 = "001080000001", "001080000002"
OK = {"results": ["ok"]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory):
    me = Party("urn:quychu:peer:service", "service", make_key_set(statuses=STATUSES))
    folder = tmp_path_factory.mktemp("provider")
    with ServiceStub(me).running() as stub, simulator(folder, me.keys.public(), stub.url) as live:
        vneid = read_party("vneid", json.loads((folder / "vneid.jwks.json").read_text()))
        stub.meet(vneid, live.url)
        live.driver("accounts", {UNKNOWN: 0, LEVEL_1: 1})
        yield provider_world(stub, live, vneid)


def provider_world(stub: ServiceStub, live: Live, vneid: Party) -> ProviderWorld:
    numbers = itertools.count(3)

    def answer(_: str, auth_req_id: str, answers: list[dict[str, Any]]) -> None:
        assert live.driver("answers", [{"auth_req_id": auth_req_id, "answers": answers}]) == OK

    def deny(_: str, auth_req_id: str) -> None:
        assert live.driver("answers", [{"auth_req_id": auth_req_id, "decline": True}]) == OK

    def revise(_: str, auth_req_id: str, answers: list[dict[str, Any]]) -> None:
        assert live.driver("revise", [{"auth_req_id": auth_req_id, "answers": answers}]) == OK

    def declare(citizen_id: str) -> None:
        land = {"citizen_id": citizen_id, "certificate_serial": "BK 123456", "parcel_address": "Ấp Bình Lợi"}
        (told,) = live.driver("declare", [land])["results"]
        assert len(told) >= 22, told

    return ProviderWorld(
        provider_url=live.url,
        vneid=vneid,
        stub=stub,
        suites=SUITES,
        unknown=UNKNOWN,
        level_1=LEVEL_1,
        silent=lambda: f"001080{next(numbers):06d}",
        answer=answer,
        deny=deny,
        revise=revise,
        declare=declare,
    )


@pytest.fixture(scope="module")
def outcomes(world) -> dict[str, conformance.Outcome]:
    return conformance.run_together(conformance.provider_scenarios(), lambda scenario: scenario.run(world))


@pytest.mark.parametrize("scenario", conformance.provider_scenarios(), ids=lambda scenario: scenario.name)
def test_the_simulator_does_what_a_provider_must(outcomes, scenario):
    assert not outcomes[scenario.name].problem, outcomes[scenario.name].problem
