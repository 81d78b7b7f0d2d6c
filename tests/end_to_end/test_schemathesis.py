"""schemathesis against both servers as processes: payloads are generated from docs/protocol and sealed on their way.

Rules
- A hook seals what was generated, by the second implementation, so that it reaches the code behind the envelope; every
  other payload names an id that the server knows, since nobody guesses one.
- What fits its schema is answered: 200, 422 where it cannot be met, or one of the plain errors. What does not fit is
  never taken. Nothing is a fault; a sealed answer opens and fits its own schema.
- What is not sealed comes from the service's own OpenAPI document. SCHEMATHESIS=full generates fifty times as much.
"""

from __future__ import annotations

import itertools
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable

from tests.end_to_end.battlefield import Battlefield, Left, battlefield, story
from tests.end_to_end.test_hostile import TARGETS, Target
from tests.interop.second import wire
from tests.interop.second.keys import SUITES

FULL = os.environ.get("SCHEMATHESIS") == "full"
EXAMPLES = 500 if FULL else 10
pytestmark = pytest.mark.timeout(1_800 if FULL else 120)
PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "protocol"
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
ANSWERS = {
    "landquestions": "landquestions-receipt",
    "landwithdraw": "landwithdraw-receipt",
    "landcollect": "landanswers",
    "landrevise": "landrevise-receipt",
    "landdecl": "landdecl-receipt",
    "residence": "residence-reply",
    "landfetch": "landreply",
    "landcancel": "landcancel-receipt",
}
PLAIN_ERRORS = {
    "/bc-authorize": {"unknown_user_id", "access_denied", "invalid_request"},
    "/token": {"authorization_pending", "slow_down", "expired_token", "access_denied", "invalid_grant"},
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    with battlefield(tmp_path_factory.mktemp("generated")) as found:
        yield found
        assert "Traceback" not in found.logs()
        assert '"event": "fault"' not in found.logs()


@pytest.fixture(scope="module")
def told(here):
    return story(here)


def document(targets: Iterator[Target] | tuple[Target, ...]) -> dict[str, Any]:
    """An OpenAPI document with the payloads in the place of their envelopes."""
    parts: dict[str, Any] = {}
    paths = {
        target.path: {
            "post": {
                "operationId": str(target),
                "requestBody": {"required": True, "content": {"application/json": {"schema": _schema(target, parts)}}},
                "responses": {"200": {"description": "The answer"}},
            }
        }
        for target in targets
    }
    info = {"title": "payloads", "version": "1"}
    return {"openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": parts}}


def _schema(target: Target, parts: dict[str, Any]) -> dict[str, Any]:
    """The schema of a kind, its definitions under names of the document."""
    text = (PROTOCOL / f"{target}.schema.json").read_text("utf-8")
    schema = json.loads(text.replace("#/$defs/", f"#/components/schemas/{target}."))
    parts.update({f"{target}.{name}": part for name, part in schema.pop("$defs", {}).items()})
    _bound(parts)
    return _bound({name: value for name, value in schema.items() if name not in {"$schema", "$id"}})


def _bound(schema: Any) -> Any:
    """Integers as section 2 bounds them all: others never get as far as the schema."""
    if isinstance(schema, list):
        return [_bound(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "integer":
        schema.setdefault("minimum", 1 - 2**53)
        schema.setdefault("maximum", 2**53 - 1)
    for part in schema.values():
        _bound(part)
    return schema


def written(schema: dict[str, Any]) -> Any:
    """The document as schemathesis takes it, without U+0000, which no message may hold."""
    generation = schemathesis.config.GenerationConfig(allow_x00=False)
    project = schemathesis.config.ProjectConfig(generation=generation)
    config = schemathesis.Config(projects=schemathesis.config.ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(schema, config=config)


def each(schema: Any, mode: Any, check: Callable[[Any], None]) -> None:
    """Run a check on what is generated for every operation."""
    generous = settings(
        max_examples=EXAMPLES,
        phases=[
            Phase.explicit,
            Phase.generate,
        ],  # what fails is small enough to read; shrinking it has no bound in time
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=True,
    )
    for operation in schema.get_all_operations():
        with suppress(Unsatisfiable):  # an operation without parameters cannot be asked wrongly
            generous(given(case=operation.ok().as_strategy(generation_mode=mode))(check))()


class Sealing:
    """The hook: seals what was generated, posts it, and looks at what comes back."""

    def __init__(self, here: Battlefield, known: dict[str, Any]) -> None:
        self.here, self.known = here, known  # ids by field; without any, payloads stay as they were generated
        self.by_path = {target.path: target for target in TARGETS}
        self.seen: Counter[tuple[str, int]] = Counter()
        self.suites = itertools.cycle(SUITES)

    def __call__(self, case: Any) -> wire.Answer | None:
        if not isinstance(case.body, dict):
            return None  # claims stand beside the payload, so there is nothing that could hold another value
        target, content = self.by_path[case.path], self._knowing(case.body)
        caller = self.here.caller(target.role, next(self.suites))
        sealed, answer = caller.send(target.path, target.typ, content)
        assert answer.status in {200, 400, 422}, (str(target), answer.status)
        self.seen[str(target), answer.status] += 1
        if answer.status == 200 and answer.media_type == "application/jose":
            caller.open_answer(sealed, answer, f"{ANSWERS[str(target)]}+jwt")
        return answer

    def _knowing(self, body: dict[str, Any]) -> dict[str, Any]:
        """Every other payload with the ids of the story."""
        if zlib.crc32(repr(sorted(map(repr, body.items()))).encode()) % 2:
            return body
        return {name: self.known.get(name, value) if _is_text(value) else value for name, value in body.items()}


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def known_ids(told: Left) -> dict[str, str]:
    """Ids that the servers know."""
    return {
        "auth_req_id": told.open["auth_req_id"],
        "revises": told.settled["auth_req_id"],
        "sub": told.settled["citizen_id"],
        "question_id": told.open_question,
    }


@pytest.mark.parametrize("side", ["service", "provider"])
def test_whatever_fits_its_schema_is_answered(here, told, side):
    sealing = Sealing(here, known_ids(told))
    targets = tuple(target for target in TARGETS if (target.role == "service") is (side == "provider"))

    def is_answered(case: Any) -> None:
        answer = sealing(case)
        assert answer is not None
        if answer.status == 400:
            assert answer.body != wire.UNACCEPTABLE, f"{case.path}: the envelope was good"
            assert answer.json()["error"] in PLAIN_ERRORS[case.path]

    each(written(document(targets)), POSITIVE, is_answered)
    reached = {name for name, status in sealing.seen if status != 422}
    assert reached >= {str(target) for target in targets} - {"landrevise"}, sealing.seen


@pytest.mark.parametrize("side", ["service", "provider"])
def test_whatever_does_not_fit_its_schema_is_not_taken(here, side):
    sealing = Sealing(here, {})
    targets = tuple(target for target in TARGETS if (target.role == "service") is (side == "provider"))

    def is_not_taken(case: Any) -> None:
        answer = sealing(case)
        assert answer is None or answer.status == 422 or answer.body == wire.UNACCEPTABLE, (case.path, answer)

    each(written(document(targets)), NEGATIVE, is_not_taken)
    assert {name for name, status in sealing.seen if status == 422} == {str(target) for target in targets}, sealing.seen


def test_what_is_not_sealed_finds_no_fault(here, told):
    base = here.world.service_url
    found = schemathesis.openapi.from_url(f"{base}/openapi.json").raw_schema
    found["paths"] = {path: way for path, way in found["paths"].items() if "x-sealed" not in way.get("post", {})}
    assert len(found["paths"]) >= 10

    def finds_no_fault(case: Any) -> None:
        response = case.call(base_url=base, allow_redirects=False)
        assert response.status_code < 500, (case.method, case.path, response.status_code)

    for mode in (POSITIVE, NEGATIVE):
        each(written(found), mode, finds_no_fault)
