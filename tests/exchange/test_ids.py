from __future__ import annotations

from re import fullmatch

from hypothesis import given
from hypothesis import strategies as st

from exchange.ids import BINDING_PATTERN, ID_PATTERN, TOKEN_PATTERN, new_binding_message, new_id, new_token


def test_ids_and_tokens_have_their_form_and_are_new_each_time():
    ids, tokens = {new_id() for _ in range(500)}, {new_token() for _ in range(500)}
    assert len(ids) == len(tokens) == 500
    assert all(fullmatch(ID_PATTERN, made) for made in ids)
    assert {len(made) for made in ids} == {22}
    assert all(fullmatch(TOKEN_PATTERN, made) for made in tokens)


@given(st.binary(min_size=8, max_size=8))
def test_a_binding_message_has_no_look_alikes_whatever_the_chance(data):
    made = new_binding_message(lambda size: data[:size])
    assert fullmatch(BINDING_PATTERN, made)
    assert not set(made) & set("IO01")


def test_every_sign_of_a_binding_message_is_equally_likely():
    seen = [new_binding_message(lambda size, byte=byte: bytes([byte] * size))[0] for byte in range(256)]
    assert {seen.count(sign) for sign in set(seen)} == {8}
