"""The strict JSON of section 2: each refusal beside its near-miss."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.interop.second.strict_json import NotStrictError, dumps, loads

REFUSED = {
    "a byte-order mark": b'\xef\xbb\xbf{"a":1}',
    "no UTF-8": b'{"a":"\xff"}',
    "a key twice": b'{"a":1,"a":1}',
    "a key twice when unescaped": b'{"a":1,"\\u0061":1}',
    "a key twice deep down": b'{"a":[{"b":1,"b":2}]}',
    "NaN": b'{"a":NaN}',
    "-Infinity": b'{"a":-Infinity}',
    "a number without end": b'{"a":1e999}',
    "a lone high surrogate": b'{"a":"\\ud800"}',
    "a lone low surrogate as key": b'{"\\udc00":1}',
    "U+0000": b'{"a":"\\u0000"}',
    "33 levels": b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    "a great many levels": b'{"a":' + b"[" * 100_000,
    "2^53": b'{"a":9007199254740992}',
    "-2^53": b'{"a":-9007199254740992}',
    "five thousand digits": b'{"a":' + b"9" * 5000 + b"}",
    "a list": b"[1]",
    "a text": b'"a"',
    "two objects": b"{}{}",
    "a comma at the end": b'{"a":1,}',
    "a comment": b'{"a":1}//',
    "a raw newline in a text": b'{"a":"\n"}',
    "a leading zero": b'{"a":01}',
    "nothing": b"",
}
TAKEN = {
    "32 levels": b'{"a":' + b"[" * 31 + b"]" * 31 + b"}",
    "brackets in a text": b'{"a":"' + b"[" * 99 + b'"}',
    "a quote before brackets": b'{"a":"\\"' + b"[" * 99 + b'\\\\"}',
    "2^53 - 1": b'{"a":9007199254740991}',
    "the same key in two objects": b'{"a":{"a":1}}',
    "a pair of surrogates": b'{"a":"\\ud83d\\ude00"}',
    "blanks around": b' \n{"a":1}\t ',
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED.keys())
def test_loose_json_is_refused(raw):
    with pytest.raises(NotStrictError):
        loads(raw)


@pytest.mark.parametrize("raw", TAKEN.values(), ids=TAKEN.keys())
def test_strict_json_is_taken(raw):
    assert loads(raw) == json.loads(raw)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=20,
)


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_what_is_written_is_read(value):
    assert loads(dumps(value)) == value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw):
    with contextlib.suppress(NotStrictError):
        assert isinstance(loads(raw), dict)
