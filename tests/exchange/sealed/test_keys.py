from __future__ import annotations

import json

import pytest

from exchange.errors import KeyFileError
from exchange.sealed import base64url
from exchange.sealed.keys import Directory, JwkSet, KeySet, Peer
from tests.exchange.parties import DIRECTORY, KEYS, SUITES, iss, opened, own, peer, sealed


def jwks(suite: str = "vn-p256") -> list[dict]:
    return json.loads(KeySet.generate([suite]).public().to_json())["keys"]


def refused(keys: list[dict] | bytes, match: str) -> str:
    text = keys if isinstance(keys, bytes) else json.dumps({"keys": keys}).encode()
    with pytest.raises(KeyFileError, match=match) as caught:
        JwkSet.parse(text, "peer.jwks.json")
    return str(caught.value)


@pytest.mark.parametrize("suite", SUITES)
def test_a_public_key_has_exactly_the_members_of_the_protocol(suite):
    for key in jwks(suite):
        coordinates = {"x", "y"} if suite == "vn-p256" else {"x"}
        assert set(key) == {"kty", "crv", "use", "alg", "kid"} | coordinates


def test_the_thumbprint_is_that_of_rfc_8037():
    key = KeySet.parse(json.dumps({"keys": [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
         "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "use": "sig", "alg": "Ed25519",
         "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"},
        KeySet.generate(["modern-25519"]).active("modern-25519", "enc").private_jwk(),
    ]}).encode()).active("modern-25519", "sig")  # fmt: skip
    assert key.kid == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize("suite", SUITES)
def test_keys_come_back_from_their_file(tmp_path, suite):
    keys = KeySet.generate([suite])
    keys.save(tmp_path / "own.json")
    assert KeySet.load(tmp_path / "own.json") == keys
    (tmp_path / "peer.json").write_bytes(keys.public().to_json())
    assert JwkSet.load(tmp_path / "peer.json") == keys.public()


MEMBERS = {
    "an extra member": ({"x5u": "https://x"}, "found more"),
    "key_ops": ({"key_ops": ["verify"]}, "texts"),
    "a private part": ({"d": "A" * 43}, "private key stands where only public"),
    "another status": ({"status": "old"}, "status"),
    "another use": ({"use": "both"}, "use"),
    "the alg of the other suite": ({"alg": "Ed25519"}, "alg"),
    "EdDSA": ({"alg": "EdDSA"}, "alg"),
    "the curve of another suite": ({"crv": "P-384"}, "curve"),
    "an RSA key": ({"kty": "RSA"}, "curve"),
    "another kid": ({"kid": "A" * 43}, "thumbprint"),
    "a coordinate with a leading zero": ({"x": "A" + "A" * 43}, "43 base64url"),
    "a coordinate with padding": ({"x": "A" * 43 + "="}, "43 base64url"),
    "a point off the curve": ({"x": "A" * 43, "y": "A" * 43}, "point on P-256"),
    "a coordinate that is not ASCII": ({"x": "é" * 43}, "43 base64url"),
}


@pytest.mark.parametrize(("bent", "match"), MEMBERS.values(), ids=MEMBERS)
def test_a_key_is_refused_that_has(bent, match):
    keys = jwks()
    keys[0] |= bent
    sentence = refused(keys, match)
    assert sentence.startswith("peer.jwks.json: key 1: ")


@pytest.mark.parametrize("member", ["kty", "crv", "x", "y", "use", "alg", "kid"])
def test_a_key_is_refused_that_lacks(member):
    keys = jwks()
    del keys[1][member]
    refused(keys, "key 2: ")


SMALL_ORDER = ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f"]
ED_ORDER_8 = [
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "00" * 31 + "80",
    "01" + "00" * 30 + "80",
]
X_ORDER_8 = [
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
]


@pytest.mark.parametrize(
    ("crv", "point"),
    [("Ed25519", p) for p in SMALL_ORDER + ED_ORDER_8] + [("X25519", p) for p in SMALL_ORDER + X_ORDER_8],
)
def test_a_point_of_small_order_or_not_reduced_is_nobodys_key(crv, point):
    keys = jwks("modern-25519")
    index = [key["crv"] for key in keys].index(crv)
    keys[index]["x"] = base64url.encode(bytes.fromhex(point))
    refused(keys, f"point on {crv}")


def test_the_file_is_an_object_with_a_list_of_keys():
    for text in (
        b"[]",
        b"{}",
        b'{"keys":{}}',
        b'{"keys":[],"keys":[]}',
        b'{"keys":[1]}',
        b'{"keys":[],"more":1}',
        b"\xff",
    ):
        refused(text, "expected")
    refused([], "at least one key")


def test_of_each_suite_and_use_exactly_one_key_is_active():
    one, two = jwks(), jwks()
    refused(one + two, "exactly one active key")
    refused(one[:1], "exactly one active key of suite vn-p256 for 'enc', found 0")
    refused([one[0], one[0], one[1]], "stands twice")
    assert len(JwkSet.parse(json.dumps({"keys": one + [key | {"status": "next"} for key in two]}).encode()).keys) == 4


def test_a_private_part_that_belongs_to_another_key_is_refused():
    for suite in SUITES:
        one, other = ([key.private_jwk() for key in KeySet.generate([suite]).keys] for _ in range(2))
        one[0]["d"] = other[0]["d"]
        with pytest.raises(KeyFileError, match=r"another key's|point on"):
            KeySet.parse(json.dumps({"keys": one}).encode())


def test_a_private_file_without_private_parts_is_refused():
    with pytest.raises(KeyFileError, match="lacks d"):
        KeySet.parse(KEYS["engine"].public().to_json())


def test_nothing_private_is_shown_or_published():
    keys = KeySet.generate()
    secrets = [key.private_jwk()["d"] for key in keys.keys]
    shown = repr(keys) + repr(keys.keys) + repr(keys.public().keys) + keys.public().to_json().decode()
    assert not any(secret in shown for secret in secrets)
    assert not any(key.jose.is_private for key in keys.public().keys)


@pytest.mark.parametrize("suite", SUITES)
def test_a_rotation_loses_no_message_under_way(suite):
    old, engine = KEYS["service"], own("engine")
    added = old.with_next(suite)
    activated = added.activated(suite)

    def sealed_to(keys: KeySet) -> bytes:
        return sealed(suite=suite, peer=Peer("service", "service", iss("service"), keys.public(), suite)).body

    def opens(body: bytes, keys: KeySet) -> bool:
        return opened(body, own=type(engine)(iss("service"), keys)).payload == {"after": None, "limit": 10}

    assert opens(sealed_to(old), added)
    assert opens(sealed_to(old), activated)
    assert opens(sealed_to(added), old)
    assert opens(sealed_to(activated), added)
    assert opens(sealed_to(activated), activated.retired(suite))
    assert activated.active(suite, "sig").kid != old.active(suite, "sig").kid


@pytest.mark.parametrize("suite", SUITES)
def test_a_verify_only_key_still_verifies_and_a_retired_one_does_not(suite):
    old = sealed(suite=suite).body
    activated = KEYS["engine"].with_next(suite).activated(suite)

    def directory(keys: KeySet) -> Directory:
        return Directory([Peer("engine", "engine", iss("engine"), keys.public(), suite)])

    assert opened(old, directory=directory(activated)).from_kid == KEYS["engine"].active(suite, "sig").kid
    with pytest.raises(Exception, match="check 5"):
        opened(old, directory=directory(activated.retired(suite)))


def test_a_step_of_a_rotation_that_is_not_due_is_refused():
    with pytest.raises(KeyFileError, match="no next keys"):
        KEYS["engine"].activated("vn-p256")
    with pytest.raises(KeyFileError, match="next keys already"):
        KEYS["engine"].with_next("vn-p256").with_next("vn-p256")
    with pytest.raises(KeyFileError, match="expected a suite"):
        KeySet.generate(["p-256"])


def test_a_suite_may_be_left_out_and_added_later():
    keys = KeySet.generate(["vn-p256"])
    with pytest.raises(KeyFileError, match="active key of suite modern-25519"):
        keys.active("modern-25519", "sig")
    assert keys.with_next("modern-25519").suites == list(SUITES)


def test_no_two_peers_share_a_name_or_a_key():
    with pytest.raises(KeyFileError, match="same iss"):
        Directory([peer("engine"), Peer("other", "engine", iss("engine"), KEYS["police"].public(), "vn-p256")])
    with pytest.raises(KeyFileError, match="same key"):
        Directory([peer("engine"), Peer("other", "engine", iss("other"), KEYS["engine"].public(), "vn-p256")])


def test_the_directory_finds_peers_by_name_role_and_signing_key():
    signing, sealing = (KEYS["police"].active("vn-p256", use).kid for use in ("sig", "enc"))
    assert DIRECTORY.by_signing_kid(signing) == DIRECTORY.by_iss(iss("police")) == DIRECTORY.of_role("police")[0]
    assert DIRECTORY.by_signing_kid(sealing) is None
    assert DIRECTORY.by_iss("urn:nobody") is None
