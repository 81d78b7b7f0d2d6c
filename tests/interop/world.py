"""What a scenario finds around it: a live service, our keys, our provider; and the interface a fixture has to fill.

How a fixture makes one
1. `keys = PeerKeys.make()`; `keys.write(folder)` leaves `engine.jwks.json`, `vneid.jwks.json`, `police.jwks.json`
   (public, for the service's settings) and `*.private.json`.
2. `with provider(keys).running() as vneid:` listens on a free port of loopback; `vneid.url` is the idp's `url` in
   the service's peer table. Each peer's `iss` is the default of section 1. The idp's `suite` is
   `World.vneid_suite`; engine and police speak both suites whatever their setting is.
3. Start the service: rate limits high (thousands of messages come from one address), the real clock.
4. `open_world(keys, vneid, service_url, …)` gives the `World`; run `conformance.check_service(world)` or each scenario.
   Run it once for each `vneid_suite`: what the service starts is in the suite of the peer's settings.

For a live provider: `ProviderWorld`, with a `ServiceStub` already running (its `url` is where the provider pings).
"""

from __future__ import annotations

import itertools
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tests.interop.second import wire
from tests.interop.second.caller import Caller, Journal
from tests.interop.second.engine import Engine
from tests.interop.second.envelope import Party
from tests.interop.second.keys import P256, STATUSES, KeySet, make_key_set, read_key_set
from tests.interop.second.police import Police
from tests.interop.second.service import ServiceStub
from tests.interop.second.vneid import Asked, Policy, Provider

ISS = "urn:quychu:peer:{}"
PEERS = ("engine", "vneid", "police")
ENDED_WAIT_SECONDS = 45
_NUMBERS = itertools.count(secrets.randbelow(10**6))
"""Never the same twice, from a random start because a service may have been asked before."""


def read_party(role: str, file: dict[str, Any], iss: str | None = None) -> Party:
    """A party of the default name from its key file."""
    return Party(iss or ISS.format(role), role, read_key_set(file))


@dataclass(frozen=True)
class PeerKeys:
    """Our private keys in both suites, of each an active, a next and a verify-only one; and a stranger's."""

    engine: KeySet
    vneid: KeySet
    police: KeySet
    stranger: KeySet

    @classmethod
    def make(cls) -> PeerKeys:
        """Fresh keys."""
        return cls(*(make_key_set(statuses=STATUSES) for _ in range(4)))

    def write(self, folder: Path) -> None:
        """Leave the files that the service's settings name, and the private ones for another run."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in (*PEERS, "stranger"):
            keys: KeySet = getattr(self, name)
            (folder / f"{name}.jwks.json").write_text(json.dumps(keys.public()))
            (folder / f"{name}.private.json").write_text(json.dumps(keys.private()))

    @classmethod
    def read(cls, folder: Path) -> PeerKeys:
        """What `write` left."""
        names = (*PEERS, "stranger")
        return cls(*(read_key_set(json.loads((folder / f"{name}.private.json").read_text())) for name in names))

    def party(self, role: str) -> Party:
        """Ourselves in this role."""
        return Party(ISS.format(role), role, getattr(self, role))


def provider(keys: PeerKeys) -> Provider:
    """Our provider, not yet listening."""
    return Provider(keys.party("vneid"))


@dataclass(frozen=True)
class Expected:
    """What the leaf of a message must say; None is not looked at."""

    outcome: str | None = None
    reason: str | None = None


@dataclass
class World:
    """A live service with our peers around it; time is the real one."""

    service_url: str
    service: Party
    keys: PeerKeys
    provider: Provider
    vneid_suite: str = P256
    patience: float = ENDED_WAIT_SECONDS
    """Seconds within which the service must act on something (deliver, poll, settle)."""
    calm_seconds: float = 6
    """Seconds in which a wrong effect would be seen: several polls at `interval` 1, the second step of the back-off."""
    behind_seconds: float = 6.5
    """Seconds after which a leaf must stand in the checkpoint."""
    log_key: str | None = None
    """The verifier key to pin; None trusts the first one shown."""
    not_askable: tuple[str, ...] = ()
    """Citizens known to the service as deceased, minor or organisations, if it knows any."""
    landed: str | None = None
    """A living citizen with an accepted link to a parcel, if the service has one."""
    journal: Journal = field(default_factory=Journal)
    expected: dict[str, Expected] = field(default_factory=dict)
    posted: list[str] = field(default_factory=list)
    entries: list[dict[str, Any]] = field(default_factory=list)
    _cursor: str | None = None

    def beside(self) -> World:
        """The same world for another thread: what was posted and collected is its own, the journal is everybody's."""
        return replace(self, posted=[], entries=[], _cursor=None)

    def caller(self, role: str, suite: str = P256) -> Caller:
        """One of our peers, posting to the service."""
        return Caller(self.keys.party(role), self.service, self.service_url, suite, self.journal)

    def engine(self, suite: str = P256) -> Engine:
        """The engine in a suite."""
        return Engine(self.caller("engine", suite))

    def police(self, suite: str = P256) -> Police:
        """The police in a suite."""
        return Police(self.caller("police", suite))

    def citizen(self, policy: Policy | None = None) -> str:
        """A citizen nobody ever asked, an adult by the number's own digits (a man of Hà Nội born in 1980)."""
        number = f"001080{next(_NUMBERS) % 10**6:06d}"
        if policy is not None:
            self.provider.policy(number, policy)
        return number

    def post(self, *questions: dict[str, Any], suite: str = P256) -> dict[str, Any]:
        """Post questions, remembered so that `tidy` takes them away."""
        self.posted += [question["question_id"] for question in questions]
        return self.engine(suite).post(*questions)

    def stay_calm(self) -> None:
        """Give a wrong effect the time to show."""
        time.sleep(self.calm_seconds)

    def tidy(self) -> None:
        """Withdraw what a scenario left open, so that nothing goes on polling."""
        while self.posted:
            self.engine().withdraw(*self.posted[:1000])
            del self.posted[:1000]

    def asked(self, citizen_id: str, attempt: int = 1) -> Asked:
        """The request that the service brought to this citizen."""
        return self.provider.wait_for_ask(citizen_id, attempt, self.patience)

    def news(self) -> list[dict[str, Any]]:
        """All entries ever collected, with those that are new now."""
        while True:
            page = self.engine().collect(self._cursor)
            self.entries += page["answers"]
            if not page["answers"]:
                return self.entries
            self._cursor = page["next"]

    def state(self, question_id: str, item_id: str) -> dict[str, Any] | None:
        """The newest entry of an item of a question."""
        found = [e for e in self.news() if (e["question_id"], e["item_id"]) == (question_id, item_id)]
        return found[-1] if found else None

    def wait_for_state(self, question_id: str, item_id: str, *states: str) -> dict[str, Any]:
        """The newest entry once it has one of these states."""
        until = time.monotonic() + self.patience
        while True:
            entry = self.state(question_id, item_id)
            if entry is not None and entry["state"] in states:
                return entry
            if time.monotonic() > until:
                raise AssertionError(f"expected {states} within {self.patience:g} s, found {_shown(entry)}")
            time.sleep(0.3)


def _shown(entry: dict[str, Any] | None) -> str:
    return "no entry" if entry is None else f"{entry['state']} with verdict {entry['verdict']}"


def open_world(
    keys: PeerKeys,
    vneid: Provider,
    service_url: str,
    service_jwks: dict[str, Any] | None = None,
    **more: Any,
) -> World:
    """Pin the service's keys (those it shows, unless they are given) and introduce the provider to it."""
    shown = service_jwks or wire.get(f"{service_url}/.well-known/jwks.json").json()
    service = read_party("service", shown)
    vneid.meet(service, service_url)
    return World(service_url, service, keys, vneid, journal=vneid.journal, **more)


@dataclass
class ProviderWorld:
    """A live provider with our service stub before it."""

    provider_url: str
    vneid: Party
    stub: ServiceStub
    suites: Iterable[str]
    unknown: str
    """A citizen the provider does not know."""
    level_1: str
    """A citizen without a level-2 account."""
    silent: Callable[[], str]
    """A citizen who does not answer by himself; a fresh one at each call."""
    answer: Callable[[str, str, list[dict[str, Any]]], None]
    """Let the citizen answer: citizen, auth_req_id, answers (as in landreply)."""
    deny: Callable[[str, str], None]
    """Let the citizen decline: citizen, auth_req_id."""
    revise: Callable[[str, str, list[dict[str, Any]]], None] | None = None
    """Let the citizen take back an answer."""
    declare: Callable[[str], None] | None = None
    """Let the citizen declare a parcel."""
