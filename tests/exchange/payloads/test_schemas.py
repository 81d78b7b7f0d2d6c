from __future__ import annotations

import json

import pytest

from exchange.kinds import event_of
from exchange.payloads import JSON_MODELS, MODELS
from scripts.write_protocol_schemas import FOLDER, schemas, stale, write
from tests.exchange.payloads.examples import GOOD, GOOD_JSON
from tests.exchange.payloads.test_parsing import CASES, NULLABLE, at, bent, named, to

jsonschema_rs = pytest.importorskip("jsonschema_rs")

EXAMPLES = {event_of(typ): payload for typ, payload in GOOD.items()} | GOOD_JSON


def validator(name: str):
    return jsonschema_rs.validator_for(json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8")))


def test_the_schemas_are_those_of_the_models():
    assert stale() == [], "run python scripts/write_protocol_schemas.py"
    assert len(schemas()) == len(MODELS) + len(JSON_MODELS)


def test_a_changed_missing_or_foreign_file_is_stale(tmp_path):
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "landask.schema.json").write_text("{}", encoding="utf-8")
    (tmp_path / "landfetch.schema.json").unlink()
    (tmp_path / "landgift.schema.json").write_text("{}", encoding="utf-8")
    assert stale(tmp_path) == ["landask.schema.json", "landfetch.schema.json", "landgift.schema.json"]
    write(tmp_path)
    assert stale(tmp_path) == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_good_payload_fits_its_schema_and_an_unknown_field_does_not(name):
    assert validator(name).is_valid(EXAMPLES[name])
    assert not validator(name).is_valid(EXAMPLES[name] | {"extra": 1})


@pytest.mark.parametrize("typ", GOOD)
def test_a_missing_field_and_a_wrong_null_do_not_fit(typ):
    check = validator(event_of(typ))
    for path in (path for found, path in CASES if found == typ):
        if isinstance(path[-1], str):
            assert not check.is_valid(bent(GOOD[typ], path, lambda holder, step: holder.pop(step)))
        null_fits = check.is_valid(bent(GOOD[typ], path, to(None)))
        may_be_null = named(typ, path) in NULLABLE or (path[-1] == "verdict" and typ == "landanswers+jwt")
        assert null_fits == may_be_null or at(GOOD[typ], path) is None
