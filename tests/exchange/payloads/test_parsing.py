"""Every kind at once: what is missing, unknown, null or of another type is refused, wherever it stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.canonical import same_content
from exchange.errors import InvalidPayload
from exchange.kinds import KINDS
from exchange.payloads import JSON_MODELS, MODELS, parse, parse_json
from tests.exchange.parties import opened, sealed
from tests.exchange.payloads.examples import GOOD, GOOD_JSON

NULLABLE = {
    *(f"landquestions+jwt questions.#.parcels.#.{name}" for name in (
        "parcel_code", "commune_name", "hamlet", "land_use_code", "area_m2", "certificate_serial", "certificate_year",
        "co_owner_name", "role",
    )),
    "landdecl+jwt on_behalf_of",
    *(f"residence-reply+jwt parcels.#.{name}" for name in ("address", "certificate_serial", "role")),
    "landreply+jwt answers.#.challenge_response",
    "landrevise+jwt answers.#.challenge_response",
    "landcollect+jwt after",
    "landdecl+jwt certificate_serial",
    "landdecl+jwt parcel_address",
    "landanswers+jwt answers.#.answered_at",
}  # fmt: skip
"""Protocol §2; `verdict` of landanswers is nullable too, but not where the entry says `proven`."""

EITHER = {"residence-reply+jwt as_of"}
"""A date or a time."""

Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Every member and element, however deep."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, member in members:
        yield (*path, step)
        yield from places(member, (*path, step))


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def bent(payload: dict[str, Any], path: Path, change: Any) -> dict[str, Any]:
    copied = json.loads(json.dumps(payload))
    change(at(copied, path[:-1]), path[-1])
    return copied


def named(typ: str, path: Path) -> str:
    return f"{typ} " + ".".join("#" if isinstance(step, int) else step for step in path)


def refused(typ: str, payload: dict[str, Any]) -> str:
    with pytest.raises(InvalidPayload) as caught:
        parse(typ, payload)
    return caught.value.detail


def to(value: Any) -> Any:
    return lambda holder, step: holder.__setitem__(step, value)


CASES = [(typ, path) for typ, payload in GOOD.items() for path in places(payload)]
MEMBERS = [(typ, path) for typ, path in CASES if isinstance(path[-1], str)]


def test_every_kind_and_every_answer_has_a_model_and_an_example():
    assert set(GOOD) == set(MODELS) == set(KINDS) | {kind.answer for kind in KINDS.values() if kind.answer}
    assert set(GOOD_JSON) == set(JSON_MODELS)


@pytest.mark.parametrize("typ", GOOD)
def test_a_good_payload_crosses_and_keeps_its_content(typ):
    received = opened(sealed(parse(typ, GOOD[typ]), typ=typ).body, typ=typ)
    assert same_content(received.payload, GOOD[typ])
    assert same_content(parse(typ, received.payload).model_dump(), GOOD[typ])


@pytest.mark.parametrize(("typ", "path"), MEMBERS)
def test_a_missing_field_is_refused_and_its_path_is_told(typ, path):
    detail = refused(typ, bent(GOOD[typ], path, lambda holder, step: holder.pop(step)))
    assert detail.startswith(".".join(map(str, path)) + ": ")


@pytest.mark.parametrize("typ", GOOD)
def test_an_unknown_field_is_refused_wherever_it_stands(typ):
    holders = [(), *(path for path in places(GOOD[typ]) if isinstance(at(GOOD[typ], path), dict))]
    for path in holders:
        detail = refused(typ, bent(GOOD[typ], (*path, "extra"), to(1)))
        assert detail.endswith("extra: unknown field")


@pytest.mark.parametrize(("typ", "path"), CASES)
def test_null_stands_only_where_the_protocol_allows_it(typ, path):
    payload = bent(GOOD[typ], path, to(None))
    if named(typ, path) in NULLABLE:
        parse(typ, payload)
    else:
        refused(typ, payload)


@pytest.mark.parametrize(("typ", "path"), CASES)
def test_a_value_of_another_type_is_refused(typ, path):
    value = at(GOOD[typ], path)
    if value is None or named(typ, path) in EITHER:
        return
    others = [True, 1, 1.5, "1", [], {}] if not isinstance(value, bool) else [1, 0, "true", "True", [], {}]
    same: dict[type, list[Any]] = {str: ["1"], int: [1], float: [1, 1.5], list: [[]], dict: [{}], bool: []}
    for other in others:
        if not any(other is kept or (type(other) is type(kept) and other == kept) for kept in same[type(value)]):
            refused(typ, bent(GOOD[typ], path, to(other)))


@pytest.mark.parametrize(("typ", "path"), [(typ, path) for typ, path in CASES if type(at(GOOD[typ], path)) is int])
def test_an_integer_is_not_written_with_a_point(typ, path):
    refused(typ, bent(GOOD[typ], path, to(float(at(GOOD[typ], path)))))


@pytest.mark.parametrize("model", JSON_MODELS.values(), ids=JSON_MODELS)
def test_unsealed_json_is_read_as_strictly(model):
    name = next(key for key, value in JSON_MODELS.items() if value is model)
    good = GOOD_JSON[name]
    assert parse_json(model, json.dumps(good).encode()).model_dump() == good
    bad = [json.dumps(good | {"extra": 1}), "[]", "", json.dumps(good)[:-1], "{" + json.dumps(good)[1:-1] * 2 + "}"]
    bad += [json.dumps({**good, member: None}) for member in good]
    for text in bad:
        with pytest.raises(InvalidPayload):
            parse_json(model, text.encode())


@given(
    st.sampled_from(sorted(GOOD)), st.dictionaries(st.text(max_size=8), st.text(min_size=6, max_size=12), max_size=4)
)
def test_a_refusal_never_repeats_a_value_nor_an_unknown_name_that_is_no_name(typ, payload):
    secret = {f"Nguyễn {name}": f"079{value}" for name, value in payload.items()} | {"citizen_id": "x079085001234"}
    detail = refused(typ, secret)
    assert "079" not in detail
    assert "Nguyễn" not in detail


@pytest.mark.parametrize(("typ", "path"), CASES)
def test_a_refusal_names_no_value_of_the_payload(typ, path):
    marked = "0790850012345-Nguyễn-Văn-Bí-Mật" * 20
    assert "Mật" not in refused(typ, bent(GOOD[typ], path, to({"a": marked})))
    if isinstance(at(GOOD[typ], path), str) and not typ.startswith("landquestions+"):
        assert "Mật" not in refused(typ, bent(GOOD[typ], path, to(marked)))
