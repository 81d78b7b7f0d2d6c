"""The second implementation's two sides against each other over HTTP: its provider does what a provider must."""

from __future__ import annotations

import pytest

from tests.interop import conformance
from tests.interop.second import wire
from tests.interop.second.envelope import Party, party_of
from tests.interop.second.keys import SUITES, make_key_set
from tests.interop.second.service import ServiceStub
from tests.interop.second.vneid import GOOD_ACR, Policy, Provider
from tests.interop.world import ProviderWorld

UNKNOWN, LEVEL_1 = "001080000001", "001080000002"


@pytest.fixture(scope="module")
def world():
    service = Party("urn:quychu:peer:service", "service", make_key_set())
    vneid = Party("urn:quychu:peer:vneid", "vneid", make_key_set())
    with ServiceStub(service).running() as stub, Provider(vneid).running() as provider:
        provider.meet(party_of(service.iss, "service", service.keys), stub.url)
        stub.meet(party_of(vneid.iss, "vneid", vneid.keys), provider.url)
        provider.policy(UNKNOWN, Policy(error="unknown_user_id"))
        provider.policy(LEVEL_1, Policy(error="access_denied"))
        yield provider_world(stub, provider)


def provider_world(stub: ServiceStub, provider: Provider) -> ProviderWorld:
    numbers = iter(range(3, 10**6))

    def revise(citizen_id, auth_req_id, answers):
        content = {"revises": auth_req_id, "sub": citizen_id, "acr": GOOD_ACR, "answers": answers, "answered_at": 1}
        assert provider.revise(SUITES[1], content) == {"revises": auth_req_id}

    def declare(citizen_id):
        content = conformance.envelope_cases.declaration(sub=citizen_id)
        assert provider.declare(SUITES[0], content)["status"] == "queued_for_review"

    return ProviderWorld(
        provider_url=provider.url,
        vneid=party_of(provider.me.iss, "vneid", provider.me.keys),
        stub=stub,
        suites=SUITES,
        unknown=UNKNOWN,
        level_1=LEVEL_1,
        silent=lambda: f"001080{next(numbers):06d}",
        answer=lambda _, auth_req_id, answers: provider.answer(provider.requests[auth_req_id], answers),
        deny=lambda _, auth_req_id: provider.deny(provider.requests[auth_req_id]),
        revise=revise,
        declare=declare,
    )


@pytest.fixture(scope="module")
def outcomes(world) -> dict[str, conformance.Outcome]:
    return conformance.run_together(conformance.provider_scenarios(), lambda scenario: scenario.run(world))


@pytest.mark.parametrize("scenario", conformance.provider_scenarios(), ids=lambda scenario: scenario.name)
def test_our_own_provider_does_what_a_provider_must(outcomes, scenario):
    assert not outcomes[scenario.name].problem, outcomes[scenario.name].problem


def test_a_ping_with_another_token_is_an_empty_401(world):
    stub = world.stub
    answer = wire.post(
        f"{stub.url}/v1/callbacks/vneid",
        b'{"auth_req_id":"x"}',
        {"Content-Type": "application/json", "Authorization": "Bearer x"},
    )
    assert (answer.status, answer.body) == (401, b"")


def test_the_scenarios_for_a_service_have_names_of_their_own():
    names = [scenario.name for scenario in conformance.service_scenarios(slow=True)]
    assert len(names) == len(set(names))
    assert len(names) > 250
