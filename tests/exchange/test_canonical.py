from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.canonical import canonical, same_content

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab\u20ac\U0001f600", max_size=3), inner),
    max_leaves=12,
)


@given(JSON)
def test_the_order_of_members_and_the_way_of_writing_do_not_matter(value):
    again = json.loads(json.dumps(value, sort_keys=True, indent=3))
    assert canonical(value) == canonical(again)
    assert json.loads(canonical(value)) == value


def test_the_example_of_rfc_8785():
    value = {"numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 1e-27], "literals": [None, True, False]}
    assert canonical(value) == b'{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27]}'


def test_names_are_ordered_by_utf_16_units():
    assert canonical({"\ufb33": 1, "\U0001f600": 2}) == '{"\U0001f600":2,"\ufb33":1}'.encode()


def test_one_and_one_point_nought_are_the_same_content_and_true_is_not():
    assert same_content({"a": 1}, {"a": 1.0})
    assert not same_content({"a": 1}, {"a": True})
    assert not same_content({"a": "1"}, {"a": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {"a": {1: 2}}])
def test_what_has_no_canonical_form_is_refused(value):
    with pytest.raises(ValueError, match=r"."):
        canonical(value)
