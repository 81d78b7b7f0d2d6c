"""schemathesis over real HTTP: generated queries, generated bodies, and generated payloads in a sealed envelope.

The OpenAPI document cannot look inside `application/jose`; its `x-sealed` can. The hook below puts that schema in the
place of the body's and seals what is generated from it, so that payloads reach the use cases behind the envelope.
"""

import itertools
import json
from contextlib import suppress

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable

from confirm_api import service
from confirm_api.app import create_app
from confirm_api.routes.messages import UseCases
from exchange.kinds import SEALED_TYPE
from exchange.sealed.open import open_sealed
from tests.confirm_api.live_service import Client, Directory, deps, own, peer, served

REAL = UseCases(
    service.accept_questions,
    service.withdraw,
    service.collect,
    service.revise,
    service.declare,
    service.residence,
    service.callback,
)
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)


@pytest.fixture
def base(units, tmp_path):
    with served(create_app(deps(units, tmp_path, use_cases=REAL))) as address:
        yield address


def document(base):
    return schemathesis.openapi.from_url(f"{base}/openapi.json").raw_schema


def unsealed(told):
    """The document with the payloads' schemas where the envelopes stood."""
    parts = told.setdefault("components", {}).setdefault("schemas", {})
    for operation in (way["post"] for way in told["paths"].values() if "x-sealed" in way.get("post", {})):
        schema = _moved(operation["x-sealed"]["payload"], operation["x-sealed"]["typ"].partition("+")[0], parts)
        operation["requestBody"]["content"] = {"application/json": {"schema": schema}}
    return told


def _moved(schema, name, parts):
    """The schema, its definitions under names of the document."""
    text = json.dumps(schema).replace("#/$defs/", f"#/components/schemas/{name}.")
    moved = json.loads(text)
    parts.update({f"{name}.{part}": told for part, told in moved.pop("$defs", {}).items()})
    return moved


def each(schema, examples):
    """Run a check on every operation, on what fits its schema and on what does not."""

    def run(check):
        for operation, mode in itertools.product(list(schema.get_all_operations()), MODES):
            strategy = operation.ok().as_strategy(generation_mode=mode)
            generous = settings(
                max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None
            )
            with suppress(Unsatisfiable):  # an operation without parameters cannot be asked wrongly
                generous(given(case=strategy)(check))()

    return run


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
def test_generated_queries_and_pings_find_no_fault(base):
    told = document(base)
    told["paths"] = {path: way for path, way in told["paths"].items() if "x-sealed" not in way.get("post", {})}

    def no_fault(case):
        response = case.call(base_url=base)
        assert response.status_code < 500, (case.path, response.status_code)

    plain = schemathesis.openapi.from_dict(told).include(path_regex="^/(v1|health|metrics|[.])")
    each(plain, 5)(no_fault)


def test_generated_payloads_in_their_envelope_find_no_fault(base, clock):
    told = unsealed(document(base))
    kinds = {path: way["post"]["x-sealed"] for path, way in told["paths"].items() if "x-sealed" in way.get("post", {})}
    told["paths"] = {path: told["paths"][path] for path in kinds}
    reached = set()

    def no_fault(case):
        kind = kinds[case.path]
        payload = case.body if isinstance(case.body, dict) else {"body": None}
        sealed = Client(base, clock, role=kind["sender"]).seal(kind["typ"], payload)
        response = Client(base, clock).post(case.path, sealed.body, Content_Type=SEALED_TYPE)
        assert response.status_code in {200, 400, 422}, (case.path, response.status_code, response.text)
        if response.status_code == 200:
            reached.add(kind["typ"])
            _open(response, kind, sealed, clock)

    each(schemathesis.openapi.from_dict(told), 10)(no_fault)
    assert reached >= {"landcollect+jwt", "landwithdraw+jwt", "residence+jwt", "landquestions+jwt"}


def _open(response, kind, sealed, clock):
    told = {"typ": kind["answer"], "own": own(kind["sender"]), "directory": Directory([peer("service")])}
    assert open_sealed(response.content, roles=["service"], now=clock(), re=sealed.jti, **told).payload
