"""What one seal, one open and one box cost on this machine, in the run whose figures they stand beside.

Rules
- Messages are measured with a payload of the size they have in the run, with the code the service itself uses: strict
  JSON, header checks and hashes are part of the envelope's cost.
- *Bare* are the two algorithms of an envelope alone (signature and key agreement, one each way): what no code can save.
- Processor time of this thread, median of `ROUNDS` rounds.

Example: `costs("vn-p256", batch=50)["landask"].seal` is about a millisecond.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.tools import service_people as people
from benchmarks.tools.service_figures import Cost
from confirm_api.store.boxes import open_box, seal_box
from exchange.ids import new_id
from exchange.sealed.keys import Directory, KeySet, Own, Peer
from exchange.sealed.open import open_sealed
from exchange.sealed.seal import seal

ROUNDS, TIMES = 9, 20
BOX_BYTES = 1_300
"""A record holds the inner JWS; a parcel is a third of that."""


def costs(suite: str, *, batch: int) -> dict[str, Cost]:
    """Of each kind of message that a full question needs."""
    return {event: _cost(suite, f"{event}+jwt", payload) for event, payload in _payloads(batch).items()}


def box_cost() -> Cost:
    """Of one box of the field encryption."""
    key, plain = bytes(range(32)), bytes(BOX_BYTES)
    box = seal_box(key, "items/1/box", plain)
    return Cost(
        _seconds(lambda: seal_box(key, "items/1/box", plain)), _seconds(lambda: open_box(key, "items/1/box", box))
    )


def bare(suite: str) -> Cost:
    """Signature and key agreement alone: what sealing needs, and what opening needs."""
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - of this one measurement
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519  # noqa: PLC0415

    text = bytes(BOX_BYTES)
    if suite == "vn-p256":
        own, peer, how = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
            hashes.SHA256(),
        )
        signed = own.sign(text, ec.ECDSA(how))
        seal_ = _seconds(
            lambda: (
                own.sign(text, ec.ECDSA(how)),
                ec.generate_private_key(ec.SECP256R1()).exchange(ec.ECDH(), peer.public_key()),
            )
        )
        opening = _seconds(
            lambda: (own.public_key().verify(signed, text, ec.ECDSA(how)), own.exchange(ec.ECDH(), peer.public_key()))
        )
        return Cost(seal_, opening)
    signer, ours = ed25519.Ed25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    theirs, mark = x25519.X25519PrivateKey.generate().public_key(), signer.sign(text)
    return Cost(
        _seconds(lambda: (signer.sign(text), x25519.X25519PrivateKey.generate().exchange(theirs))),
        _seconds(lambda: (signer.public_key().verify(mark, text), ours.exchange(theirs))),
    )


def _cost(suite: str, typ: str, payload: dict[str, Any]) -> Cost:
    keys = {name: KeySet.generate([suite]) for name in ("a", "b")}
    owns = {name: Own(f"urn:{name}", keys[name]) for name in keys}
    peers = {name: Peer(name, name, f"urn:{name}", keys[name].public(), suite) for name in keys}
    now, directory = int(time.time()), Directory(peers.values())

    def sealing() -> bytes:
        return seal(payload, typ=typ, own=owns["a"], peer=peers["b"], now=now).body

    body = sealing()
    return Cost(
        _seconds(sealing),
        _seconds(lambda: open_sealed(body, typ=typ, own=owns["b"], directory=directory, roles=["a"], now=now)),
    )


def _seconds(work: Callable[[], object]) -> float:
    """Processor seconds of one call."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.thread_time()
        for _ in range(TIMES):
            work()
        rounds.append((time.thread_time() - began) / TIMES)
    return median(rounds)


def _payloads(batch: int) -> dict[str, dict[str, Any]]:
    questions = [people.question(number) for number in range(batch)]
    items = [parcel["item_id"] for parcel in people.question(1)["parcels"]]
    ids = [one["question_id"] for one in questions]
    facts = [{"label": "commune", "value": "xã Thạch Bình"}, {"label": "hamlet", "value": "thôn 3"}] * 2
    asked = [
        {"item_id": one, "facts": facts, "challenge": {"kind": "certificate_suffix", "length": 4}} for one in items
    ]
    said = {"verdict": "mine", "challenge_response": "0001", "corrections": []}
    outcome = {"question_id": ids[0], "item_id": items[0], "citizen_id": people.citizen_id(1), "state": "settled"}
    outcome |= {"verdict": "mine", "proven": True, "evidence_level": "challenge", "answered_at": 1_764_000_000}
    ask = {"question_id": ids[0], "attempt": 1, "purpose": "land_confirmation", "remind_after_days": [3, 10, 24]}
    return {
        "landquestions": {"batch_id": new_id(), "questions": questions},
        "landquestions-receipt": {"batch_id": new_id(), "accepted": ids, "duplicates": [], "refused": []},
        "landask": {
            "scope": "openid land_confirmation",
            "login_hint": people.citizen_id(1),
            "client_notification_token": new_id(),
            "binding_message": "ABCD-EFGH",
            "requested_expiry": 86_400,
            "ask": {**ask, "items": asked},
        },
        "landfetch": {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": new_id()},
        "landreply": {
            "auth_req_id": new_id(),
            "question_id": ids[0],
            "attempt": 1,
            "ask_jti": new_id(),
            "sub": people.citizen_id(1),
            "acr": "urn:vneid:level:2",
            "answers": [{"item_id": one, **said} for one in items],
            "answered_at": 1_764_000_000,
        },
        "landcollect": {"after": "1", "limit": 1_000},
        "landanswers": {"answers": [outcome] * 30, "next": "30"},
    }
