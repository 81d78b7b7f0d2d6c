from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sealed.strict_json import MAX_INTEGER, NotStrictError, parse


def nested(levels: int, closed: str = "{}") -> bytes:
    """An object of that many levels."""
    inner, opening, closing = (closed, '{"a":', "}") if closed == "{}" else (closed, "[", "]")
    if closed == "{}":
        return (opening * (levels - 1) + inner + closing * (levels - 1)).encode()
    return ('{"a":' + opening * (levels - 2) + inner + closing * (levels - 2) + "}").encode()


TAKEN = {
    "an empty object": b"{}",
    "blanks around it": b" \t\r\n{} \n",
    "the largest integer": b'{"a":9007199254740991}',
    "the smallest integer": b'{"a":-9007199254740991}',
    "minus zero": b'{"a":-0}',
    "numbers with point and exponent": b'{"a":[1.0,1e3,-2.5E-2]}',
    "the same name in two objects": b'{"a":{"b":1},"c":{"b":1}}',
    "a pair of surrogates as escapes": b'{"a":"\\ud83d\\ude00"}',
    "a backslash before what looks like an escape": b'{"a":"\\\\ud800 \\\\u0000"}',
    "32 levels of objects": nested(32),
    "32 levels of lists": nested(32, "[]"),
    "more than 32 brackets side by side": b'{"a":[' + b",".join([b"[]"] * 100) + b"]}",
    "brackets within a text": b'{"a":"' + b"[" * 100 + b'"}',
}

REFUSED = {
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"a"',
    "a number": b"1",
    "null": b"null",
    "two objects": b"{}{}",
    "something after it": b"{} x",
    "a byte-order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"a":1}'.encode("utf-16-le"),
    "bytes that are not UTF-8": b'{"a":"\xff"}',
    "an overlong form": b'{"a":"\xc0\x80"}',
    "a surrogate in UTF-8": b'{"a":"\xed\xa0\x80"}',
    "a member twice": b'{"a":1,"a":1}',
    "a member twice, once as an escape": b'{"a":1,"\\u0061":1}',
    "a member twice below": b'{"b":[{"a":1,"a":2}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "minus Infinity": b'{"a":-Infinity}',
    "infinity by overflow": b'{"a":1e999}',
    "a lone high surrogate": b'{"a":"\\ud800"}',
    "a lone low surrogate": b'{"a":"\\udc00x"}',
    "surrogates in the wrong order": b'{"a":"\\ude00\\ud83d"}',
    "a lone surrogate in a name": b'{"\\ud800":1}',
    "U+0000 as an escape": b'{"a":"x\\u0000"}',
    "U+0000 in a name": b'{"\\u0000":1}',
    "U+0000 as a byte": b'{"a":"\x00"}',
    "a line break in a text": b'{"a":"\n"}',
    "2^53": b'{"a":9007199254740992}',
    "minus 2^53": b'{"a":-9007199254740992}',
    "an integer of five thousand digits": b'{"a":' + b"9" * 5000 + b"}",
    "a leading zero": b'{"a":01}',
    "a plus sign": b'{"a":+1}',
    "a point without digits": b'{"a":1.}',
    "a comment": b'{/**/"a":1}',
    "a comma too many": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "33 levels of objects": nested(33),
    "33 levels of lists": nested(33, "[]"),
    "a hundred thousand brackets": b'{"a":' + b"[" * 100_000,
    "a hundred thousand closed brackets": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("text", TAKEN.values(), ids=TAKEN)
def test_it_is_taken(text):
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_it_is_refused(text):
    with pytest.raises(NotStrictError):
        parse(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab\u1ea3"), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text("xyz"), VALUES, max_size=4), st.booleans())
def test_every_proper_object_comes_back_as_it_was(value, ascii_only):
    assert parse(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=60) | st.text('{}[]",:\\ud8e01-.aN\x00', max_size=40).map(str.encode))
def test_any_bytes_are_an_object_or_refused(text):
    with suppress(NotStrictError):
        assert isinstance(parse(text), dict)
