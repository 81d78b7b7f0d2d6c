"""The audit log against all that crossed the wire; run after the other scenarios.

Rules
- Nothing is believed: the root is computed from the leaves, proofs and consistency are verified under the pinned key.
- Every sealed message that crossed, either way, taken or refused, has a leaf with the hash of its bytes.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from typing import Any, Final

from tests.interop.conformance.base import Gathering, one_question
from tests.interop.conformance.circle_cases import SUFFIX, say
from tests.interop.second import wire
from tests.interop.second.caller import Crossed
from tests.interop.second.envelope import LARGEST_BODY
from tests.interop.second.log import LogReader, read_leaf, root
from tests.interop.world import World

GATHERING: Final[Gathering[World]] = Gathering()


def reader(world: World) -> LogReader:
    """The log of the service under test."""
    return LogReader.at(world.service_url, world.log_key)


def all_leaves(world: World) -> list[dict[str, Any]]:
    """Every leaf up to now, read and checked one by one."""
    time.sleep(world.behind_seconds)
    log = reader(world)
    return [read_leaf(leaf) for leaf in log.leaves(log.checkpoint().size)]


@GATHERING.scenario
def the_log_key_is_a_verifier_key_that_names_the_origin(world: World) -> None:
    log = reader(world)
    assert log.checkpoint().origin == log.key.name
    answer = wire.get(f"{world.service_url}/v1/log/key")
    assert answer.body.decode().rstrip("\n").count("\n") == 0, "more than one line"


@GATHERING.scenario
def the_root_of_the_leaves_is_the_root_of_the_checkpoint(world: World) -> None:
    log = reader(world)
    checkpoint = log.checkpoint()
    assert root(log.leaves(checkpoint.size)) == checkpoint.root


@GATHERING.scenario
def every_leaf_is_canonical_and_has_exactly_its_fields(world: World) -> None:
    leaves = all_leaves(world)
    assert leaves, "an empty log"
    times = [leaf["time"] for leaf in leaves]
    assert max(times) <= time.time() + 1
    assert all(later >= earlier - 5 for earlier, later in itertools.pairwise(times)), "time runs backwards"


@GATHERING.scenario
def an_older_checkpoint_is_consistent_with_a_newer_one(world: World) -> None:
    log = reader(world)
    older = log.checkpoint()
    sealed, _ = world.caller("engine").send("/v1/answers", "landcollect+jwt", {"after": None, "limit": 1})
    log.wait_for(sealed.sha256)
    newer = log.checkpoint()
    assert newer.size > older.size
    log.consistency(older, newer)
    log.consistency(newer, newer)


@GATHERING.scenario
def every_message_that_crossed_has_its_leaf(world: World) -> None:
    until_now = list(world.journal.crossed)
    by_hash: dict[str, list[dict[str, Any]]] = {}
    for leaf in all_leaves(world):
        by_hash.setdefault(leaf["sealed"] or "", []).append(leaf)
    missing = [c for c in until_now if c.sha256 not in by_hash and _is_owed_a_leaf(c)]
    assert not missing, [(c.typ, c.status) for c in missing[:20]]


def _is_owed_a_leaf(crossed: Crossed) -> bool:
    """Not what was refused before opening, nor what may have been read in part only."""
    is_read = crossed.status not in {429, 503} and 0 < crossed.size <= LARGEST_BODY
    return is_read and crossed.sender_kid is not None


@GATHERING.scenario
def a_taken_message_is_a_leaf_of_its_kind_with_the_keys_and_the_commit(world: World) -> None:
    case = one_question(world)
    say(case, "mine", SUFFIX)
    case.ends("settled")
    subject = hashlib.sha256(case.question_id.encode()).hexdigest()
    leaves = all_leaves(world)
    told = [leaf for leaf in leaves if leaf["subject"] == subject]
    events = {leaf["event"] for leaf in told}
    assert {"landask", "landreply", "state"} <= events, events
    asks = [leaf for leaf in told if leaf["event"] == "landask" and leaf["outcome"] == "sent"]
    assert asks, "the delivery of the ask has no leaf"
    assert all(leaf["sealed"] and leaf["commit"] for leaf in asks), asks
    service_kid = world.service.keys.active(world.vneid_suite, "sig").kid
    vneid_kid = world.keys.vneid.active(world.vneid_suite, "enc").kid
    assert {(leaf["from_kid"], leaf["to_kid"]) for leaf in asks} == {(service_kid, vneid_kid)}, asks
    reply = next(leaf for leaf in told if leaf["event"] == "landreply" and leaf["outcome"] == "accepted")
    assert reply["from_kid"] == world.keys.vneid.active(world.vneid_suite, "sig").kid, reply
    assert reply["commit"], reply


@GATHERING.scenario
def a_request_and_its_sealed_answer_are_two_leaves(world: World) -> None:
    caller = world.caller("engine")
    sealed, answer = caller.send("/v1/answers", "landcollect+jwt", {"after": None, "limit": 1})
    caller.open_answer(sealed, answer, "landanswers+jwt")
    log = reader(world)
    first, second = log.wait_for(sealed.sha256), log.wait_for(hashlib.sha256(answer.body).hexdigest())
    assert (first.entry["event"], second.entry["event"]) == ("landcollect", "landanswers")
    assert first.entry["outcome"] == "accepted", first.entry
    assert first.index < second.index


@GATHERING.scenario
def a_refused_message_has_a_leaf_that_names_the_check(world: World) -> None:
    by_hash: dict[str, list[dict[str, Any]]] = {}
    for leaf in all_leaves(world):
        by_hash.setdefault(leaf["sealed"] or "", []).append(leaf)
    wrong = []
    for sealed, expected in list(world.expected.items()):
        leaves = by_hash.get(sealed, [])
        fits = [leaf for leaf in leaves if expected.outcome in {None, leaf["outcome"]}]
        if expected.reason is not None:
            fits = [leaf for leaf in fits if leaf["reason"] == expected.reason]
        if not fits:
            wrong.append((expected, [(leaf["outcome"], leaf["reason"]) for leaf in leaves]))
    assert not wrong, wrong[:20]


@GATHERING.scenario
def a_proof_by_index_is_the_leaf_at_that_index(world: World) -> None:
    log = reader(world)
    size = log.checkpoint().size
    leaves = log.leaves(size)
    for index in sorted({0, 1, size // 2, size - 1} & set(range(size))):
        proof = log.proof(index=index)
        assert proof is not None, index
        assert (proof.index, proof.leaf) == (index, leaves[index])


@GATHERING.scenario
def messages_of_many_kinds_have_a_proof_by_their_hash(world: World) -> None:
    log = reader(world)
    one_of_each = {c.typ: c for c in list(world.journal.crossed) if c.sender_kid and c.status == 200}
    for crossed in one_of_each.values():
        proof = log.wait_for(crossed.sha256)
        assert proof.entry["event"] == crossed.typ.removesuffix("+jwt"), (crossed.typ, proof.entry["event"])


@GATHERING.scenario
def no_leaf_tells_a_person_or_a_parcel(world: World) -> None:
    log = reader(world)
    whole = b"\n".join(log.leaves(log.checkpoint().size)).decode()
    for secret in ("001080", "BK", "Nguyễn", "Vĩnh", *world.provider.policies):
        assert f'"{secret}' not in whole, "a leaf holds personal data"


@GATHERING.for_each(
    "proof?index={size}",
    "proof?index=999999999",
    "proof?sealed=" + "0" * 64,
    "consistency?from=1&to=999999999",
    "leaves?from=0&to=999999999",
)
def what_the_log_does_not_have_yet_is_404(world: World, case: str) -> None:
    size = reader(world).checkpoint().size + 1_000_000
    answer = wire.get(f"{world.service_url}/v1/log/{case.format(size=size)}")
    assert answer.status == 404, f"{case} answered {answer.status}"


@GATHERING.scenario
def the_checkpoint_is_at_most_five_seconds_behind(world: World) -> None:
    log = reader(world)
    sealed, _ = world.caller("engine").send("/v1/answers", "landcollect+jwt", {"after": None, "limit": 1})
    time.sleep(min(5.2, world.behind_seconds))
    assert log.proof(sealed=sealed.sha256) is not None, "not in the log after 5 s"
