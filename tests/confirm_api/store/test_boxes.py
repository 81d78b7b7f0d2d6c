"""A box opens under one key and in one place, or not at all."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from confirm_api.store import boxes
from confirm_api.store.boxes import OVERHEAD_BYTES, BoxError, derive_key, open_box, seal_box

A, B = bytes(32), bytes([1]) * 32
PLACE = "items/7/box"
KEYS = st.binary(min_size=32, max_size=32)


@given(KEYS, st.text(), st.binary(max_size=3000))
def test_what_is_sealed_opens(key, context, plaintext):
    assert open_box(key, context, seal_box(key, context, plaintext)) == plaintext


def test_the_same_text_twice_is_two_boxes():
    assert seal_box(A, PLACE, b"text") != seal_box(A, PLACE, b"text")


def test_a_box_is_longer_than_its_content_by_a_fixed_number_of_bytes():
    assert [len(seal_box(A, PLACE, bytes(size))) - size for size in (0, 1, 1000)] == [OVERHEAD_BYTES] * 3


@given(KEYS, KEYS)
def test_a_box_under_one_key_never_opens_under_another(key, other):
    box = seal_box(key, PLACE, b"text")
    if key != other:
        with pytest.raises(BoxError):
            open_box(other, PLACE, box)


@pytest.mark.parametrize("elsewhere", ["items/8/box", "items/7/bo", "items/7/box ", "replies/7/box", ""])
def test_a_box_moved_to_another_place_is_refused(elsewhere):
    box = seal_box(A, PLACE, b"text")
    with pytest.raises(BoxError):
        open_box(A, elsewhere, box)


def test_every_flipped_bit_is_refused():
    box = seal_box(A, PLACE, b"text")
    for bit in range(len(box) * 8):
        changed = bytearray(box)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(BoxError):
            open_box(A, PLACE, bytes(changed))


def test_every_shortened_box_is_refused():
    box = seal_box(A, PLACE, b"text")
    for length in range(len(box)):
        with pytest.raises(BoxError):
            open_box(A, PLACE, box[:length])


def test_a_box_made_to_pass_for_two_keys_opens_under_neither():
    """The commitment of A over a ciphertext of B: what plain AES-GCM lets a forger do with two ciphertexts in one."""
    salt = bytes(range(32))
    of_b, _ = boxes._box_key(B, salt, PLACE)
    _, commitment_of_a = boxes._box_key(A, salt, PLACE)
    forged = b"\x01" + salt + commitment_of_a + AESGCM(of_b).encrypt(bytes(12), b"text", None)
    for key in (A, B):
        with pytest.raises(BoxError):
            open_box(key, PLACE, forged)


def test_another_version_is_refused_even_where_the_rest_fits():
    box = seal_box(A, PLACE, b"text")
    with pytest.raises(BoxError):
        open_box(A, PLACE, b"\x02" + box[1:])


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(size):
    with pytest.raises(BoxError):
        seal_box(bytes(size), PLACE, b"text")


def test_a_refusal_tells_neither_key_nor_place_nor_text():
    with pytest.raises(BoxError) as refused:
        open_box(B, PLACE, seal_box(A, PLACE, b"text"))
    assert not any(word in str(refused.value) for word in (PLACE, "text", A.hex()))


def test_derived_keys_differ_by_label_and_by_key():
    assert len({derive_key(A, "one"), derive_key(A, "two"), derive_key(B, "one")}) == 3


def test_the_format_does_not_change_unawares():
    box = seal_box(A, PLACE, "thửa 12".encode(), entropy=bytes)
    assert open_box(A, PLACE, box).decode() == "thửa 12"
    assert box.hex() == (
        "010000000000000000000000000000000000000000000000000000000000000000"
        "5af98e8678b5a442b135cdf11ead17f816b8e074d8d780efc7883ee66b8801a2"
        "75c275046d6e28316e0e13b371e9f5ef82b5db9c0290836f24"
    )
