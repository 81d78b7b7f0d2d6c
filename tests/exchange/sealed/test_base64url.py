from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.sealed import base64url


@given(st.binary(max_size=200))
def test_what_is_encoded_is_canonical_and_comes_back(data):
    text = base64url.encode(data).encode()
    assert base64url.is_canonical(text)
    assert base64url.decode(text) == data


@given(st.text(alphabet="AQgwEIz09-_+/= \n", max_size=9))
def test_a_text_is_canonical_exactly_when_it_is_the_encoding_of_what_it_means(text):
    raw = text.encode()
    try:
        meant = base64.b64decode(raw + b"=" * (-len(raw) % 4), b"-_", validate=True)
    except ValueError:
        meant = None
    assert base64url.is_canonical(raw) == (meant is not None and base64url.encode(meant).encode() == raw)


@pytest.mark.parametrize(
    "text", [b"A", b"AAAAA", b"AB", b"AAB", b"QQ==", b"QQ=", b" QQ", b"QQ\n", b"Q+", b"Q/", b"\xc3\xa9"]
)
def test_anything_else_is_refused(text):
    with pytest.raises(ValueError, match="base64url"):
        base64url.decode(text)
