"""The second implementation's envelope, proven by itself before it judges another."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from tests.interop.conformance.envelope_cases import FAULTS, NEAR_MISSES, changed
from tests.interop.second.envelope import LARGEST_BODY, Inbox, Party, Refused, Twist, new_id, party_of, seal
from tests.interop.second.keys import SUITES
from tests.interop.world import PeerKeys

COLLECT = {"after": None, "limit": 1}
TYP = "landcollect+jwt"
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def world():
    keys, theirs = PeerKeys.make(), PeerKeys.make()
    return SimpleNamespace(keys=keys, service=Party("urn:quychu:peer:service", "service", theirs.engine))


def inbox(world) -> Inbox:
    peers = tuple(
        party_of(f"urn:quychu:peer:{role}", role, getattr(world.keys, role)) for role in ("engine", "vneid", "police")
    )
    return Inbox(world.service, peers)


def sealed(world, suite, twist=None, typ=TYP, role="engine", **more):
    public = party_of(world.service.iss, "service", world.service.keys)
    sender = world.keys.party(role)
    return seal(sender, public, typ, dict(COLLECT), suite=suite, now=NOW, twist=twist or Twist(), **more)


@pytest.mark.parametrize("suite", SUITES)
def test_what_is_sealed_is_opened(world, suite):
    message = sealed(world, suite)
    opened = inbox(world).open_message(message.body, TYP, now=NOW)
    assert (opened.content, opened.suite, opened.jti) == (COLLECT, suite, message.jti)
    assert opened.inner == message.inner


@pytest.mark.parametrize(
    ("fault", "suite"), [pytest.param(f, s, id=f"{f.name} [{s}]") for f in FAULTS for s in f.suites]
)
def test_each_fault_fails_at_its_own_check(world, fault, suite):
    message = sealed(world, suite, fault.twist(world, suite))
    with pytest.raises(Refused) as refused:
        inbox(world).open_message(message.body, TYP, now=NOW)
    assert refused.value.check == (fault.check or 14)


@pytest.mark.parametrize(
    ("near_miss", "suite"), [pytest.param(f, s, id=f"{f.name} [{s}]") for f in NEAR_MISSES for s in f.suites]
)
def test_each_near_miss_is_opened(world, near_miss, suite):
    message = sealed(world, suite, near_miss.twist(world, suite))
    assert inbox(world).open_message(message.body, TYP, now=NOW).content == COLLECT


def test_a_jti_is_good_once_a_day(world):
    post = inbox(world)
    first = sealed(world, SUITES[0])
    post.open_message(first.body, TYP, now=NOW)
    with pytest.raises(Refused, match="seen before"):
        post.open_message(first.body, TYP, now=NOW + 1)


def test_a_jti_of_another_sender_is_another(world):
    post = inbox(world)
    first = sealed(world, SUITES[0])
    post.open_message(first.body, TYP, now=NOW)
    same = sealed(world, SUITES[0], Twist(claims=changed(jti=first.jti)), typ="landdecl+jwt", role="vneid")
    assert post.open_message(same.body, "landdecl+jwt", now=NOW).jti == first.jti


@pytest.mark.parametrize("role", ["vneid", "police"])
def test_another_role_is_refused_by_check_9(world, role):
    with pytest.raises(Refused) as refused:
        inbox(world).open_message(sealed(world, SUITES[0], role=role).body, TYP, now=NOW)
    assert refused.value.check == 9


def test_an_answer_must_name_its_request(world):
    re = new_id()
    message = sealed(world, SUITES[0], re=re)
    assert inbox(world).open_message(message.body, TYP, now=NOW, re=re).content == COLLECT
    with pytest.raises(Refused) as refused:
        inbox(world).open_message(message.body, TYP, now=NOW, re=new_id())
    assert refused.value.check == 13


def test_re_in_a_request_stays_in_the_content_as_an_unknown_field(world):
    message = sealed(world, SUITES[0], re=new_id())
    assert set(inbox(world).open_message(message.body, TYP, now=NOW).content) == {"after", "limit", "re"}


def test_a_body_at_the_limit_is_read_and_one_beyond_is_not(world):
    def bodies(blanks):
        return sealed(world, SUITES[0], Twist(payload=lambda raw: raw[:-1] + b" " * blanks + b"}"))

    fits = (LARGEST_BODY - len(bodies(0).body)) * 9 // 16
    good, bad = bodies(fits - 8), bodies(fits + 8)
    assert len(good.body) > LARGEST_BODY - 40
    assert inbox(world).open_message(good.body, TYP, now=NOW).content == COLLECT
    with pytest.raises(Refused) as refused:
        inbox(world).open_message(bad.body, TYP, now=NOW)
    assert refused.value.check == 1


def test_sealing_two_hundred_messages_takes_moments(world):
    began = time.process_time()
    for _ in range(200):
        sealed(world, SUITES[1])
    assert time.process_time() - began < 10
