"""Health, keys, the OpenAPI document, and what no route knows."""

import jsonschema_rs
import pytest

from confirm_api.app import create_app
from exchange.kinds import CALLBACK_PATH, KINDS, SERVICE
from exchange.sealed.keys import JwkSet
from tests.confirm_api.live_service import HTTP, deps, own, served

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def base(units, tmp_path):
    with served(create_app(deps(units, tmp_path))) as address:
        yield address


def test_our_public_keys_are_there_without_their_private_parts(base):
    response = HTTP.get(f"{base}/.well-known/jwks.json")
    assert response.headers["content-type"] == "application/jwk-set+json"
    assert JwkSet.parse(response.content) == own("service").keys.public()
    assert not any("d" in key for key in response.json()["keys"])


def test_a_service_with_all_it_needs_is_ready(base):
    assert HTTP.get(f"{base}/health/ready").json() == {
        "status": "ready",
        "checks": {"database": True, "key_store": True, "disk": True, "sequencer": True},
    }


def test_without_its_key_store_it_lives_but_is_not_ready(base, units):
    with units.vault._engine.begin() as conn:
        conn.exec_driver_sql("DROP TABLE citizen_keys")
    response = HTTP.get(f"{base}/health/ready")
    assert (response.status_code, response.json()["checks"]["key_store"]) == (503, False)
    assert response.json()["checks"]["database"]
    assert HTTP.get(f"{base}/health/live").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/v1/questions", 405), ("DELETE", CALLBACK_PATH, 405), ("POST", "/v1/log/key", 405)],
)
def test_what_no_route_knows_is_a_problem_document(base, method, path, status):
    response = HTTP.request(method, base + path)
    assert (response.status_code, response.headers["content-type"]) == (status, "application/problem+json")
    assert response.json()["status"] == status
    assert status != 405 or response.headers["allow"]


def test_the_document_describes_every_message_so_that_a_client_who_seals_needs_nothing_else(base):
    document = HTTP.get(f"{base}/openapi.json").json()
    received = [kind for kind in KINDS.values() if kind.receiver == SERVICE]
    assert {CALLBACK_PATH} | {kind.path for kind in received} <= document["paths"].keys()
    for kind in received:
        operation = document["paths"][kind.path]["post"]
        assert operation["requestBody"]["content"].keys() == {"application/jose"}
        assert operation["responses"].keys() >= {"200", "400", "422", "429", "503"}
        told = operation["x-sealed"]
        assert (told["typ"], told["sender"], told["answer"]) == (kind.typ, kind.sender, kind.answer)
        for schema in (told["payload"], told["answer_payload"]):
            assert jsonschema_rs.meta.is_valid(schema)
