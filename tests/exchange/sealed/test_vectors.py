"""Messages made by another JOSE library: the good ones are taken, every near-miss is refused at its own check."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from exchange.errors import InvalidPayload, Refused
from exchange.payloads import parse
from exchange.sealed.keys import Directory, KeySet, Own, Peer
from exchange.sealed.open import Opened, open_sealed

FOLDER = Path(__file__).resolve().parents[2] / "vectors"
FILES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("envelope-*.json"))}
HOW = ("re", "content_type", "content_encoding")


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(file, case, id=f"{stem}: {case['name']}") for stem, file in FILES.items() for case in file[kind]
    ]


def read(file: dict[str, Any], case: dict[str, Any], receiver: str = "service") -> Opened:
    keys = {name: KeySet.parse(json.dumps(told).encode()) for name, told in file["private_keys"].items()}
    peers = [Peer(name, name, f"urn:quychu:peer:{name}", own.public(), file["suite"]) for name, own in keys.items()]
    return open_sealed(
        case["body"].encode(),
        typ=file["typ"],
        own=Own(f"urn:quychu:peer:{receiver}", keys[receiver]),
        directory=Directory(peers),
        roles=["engine"],
        now=file["now"],
        **{name: case[name] for name in HOW if name in case},
    )


def test_there_are_vectors_for_both_suites_with_at_least_twenty_near_misses_each():
    assert set(FILES) == {"envelope-vn-p256", "envelope-modern-25519"}
    assert all(len({case["name"] for case in file["near_misses"]}) >= 20 for file in FILES.values())


@pytest.mark.parametrize(("file", "case"), cases("good"))
def test_a_good_message_of_another_library_is_taken(file, case):
    opened = read(file, case)
    assert opened.payload == file["payload"]
    assert parse(file["typ"], opened.payload).limit == 100
    assert (opened.suite, opened.peer.role, opened.re) == (file["suite"], "engine", case.get("re"))


@pytest.mark.parametrize(("file", "case"), cases("near_misses"))
def test_a_near_miss_is_refused_at_its_check(file, case):
    with pytest.raises((Refused, InvalidPayload)) as caught:
        parse(file["typ"], read(file, case).payload)
    found = caught.value
    assert (found.check if isinstance(found, Refused) else 15) == case["check"]


@pytest.mark.parametrize("file", FILES.values(), ids=FILES)
def test_nobody_but_the_recipient_opens_a_message(file):
    with pytest.raises(Refused) as caught:
        read(file, file["good"][0], receiver="police")
    assert (caught.value.check, caught.value.to_kid, caught.value.from_kid) == (5, None, None)
