"""Key sets of section 1: what is read and what is refused."""

from __future__ import annotations

import copy

import pytest

from tests.interop.second.keys import MODERN, P256, SUITES, BadKeyError, make_key_set, read_key_set
from tests.interop.world import PeerKeys


@pytest.fixture
def file():
    return make_key_set(statuses=("active", "next", "verify-only")).public()


def test_a_public_set_is_read_and_has_nothing_private(file):
    assert not any(key.is_private for key in read_key_set(file).keys)
    assert read_key_set(file).public() == file


def test_a_private_set_comes_back(tmp_path):
    keys = PeerKeys.make()
    keys.write(tmp_path)
    assert PeerKeys.read(tmp_path) == keys


def test_a_set_may_leave_a_suite_out():
    assert {key.suite for key in read_key_set(make_key_set([P256]).public()).keys} == {P256}


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize(
    "change",
    [
        {"kid": "A" * 43},
        {"use": "other"},
        {"alg": "EdDSA"},
        {"alg": "ECDH-ES"},
        {"crv": "P-384"},
        {"status": "old"},
        {"key_ops": "sign"},
        {"x": "AA"},
        {"x": "A" * 42 + "B"},
    ],
    ids=str,
)
def test_a_key_that_is_not_as_section_1_wants_it_is_refused(place, change):
    bad = make_key_set(SUITES).public()
    bad["keys"][place].update(change)
    with pytest.raises(BadKeyError):
        read_key_set(bad)


def test_a_point_off_the_curve_is_refused():
    bad = make_key_set([P256]).public()
    bad["keys"][0]["y"] = bad["keys"][0]["x"]
    with pytest.raises(BadKeyError):
        read_key_set(bad)


def test_two_active_keys_of_one_use_are_refused(file):
    bad = copy.deepcopy(file)
    for key in bad["keys"]:
        key.pop("status", None)
    with pytest.raises(BadKeyError, match="3 active keys"):
        read_key_set(bad)


def test_no_active_key_of_a_listed_suite_is_refused():
    bad = make_key_set([MODERN]).public()
    bad["keys"][0]["status"] = "next"
    with pytest.raises(BadKeyError, match="0 active keys"):
        read_key_set(bad)


@pytest.mark.parametrize("bad", [{}, {"keys": []}, {"keys": {}}, {"keys": [1]}, {"keys": [{}]}], ids=str)
def test_what_is_no_key_set_is_refused(bad):
    with pytest.raises(BadKeyError):
        read_key_set(bad)
