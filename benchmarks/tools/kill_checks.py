"""The checker of the kill rounds: does protocol §5 hold, counted from both sides' databases.

Rules
- What the engine was told stands in the service's database, once; what it was refused does not.
- What the service asked stands with the provider, once for each attempt, of the right citizen, with the same binding
  message; no citizen has two open requests, no question two open attempts.
- What the provider acknowledged to a citizen stands in its database; each reply, revision and declaration of it stands
  once in the service's, with the same content.
- Each item is what its answers make of it by §4, computed here anew from the replies (`expected`).
- The feed has no gap, no repetition, and is what the engine collected with its cursor over all restarts.
- Nothing waits for ever: no delivery, no attempt half open, no item whose turn it is.
- It looks while nothing is under way (`unquiet`) and the service has ended in order, so that all of it is exact.

Worked example: `list(check(both, ledger, log_key, quiet_at, now))` is empty, or says in sentences what is wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.tools.kill_log_checks import check_log
from benchmarks.tools.kill_records import Records, Row, grouped
from benchmarks.tools.kill_traffic import ACCEPTED, DUPLICATE, Ledger
from confirm_api.audit.checkpoint import LogKey
from confirm_api.audit.log import subject
from confirm_api.service import contexts
from confirm_api.vneid_sim.driver import DECLINE

WAITING = frozenset({"held", "free", "asked"})
ENDS = frozenset({"settled", "declined", "expired", "withdrawn", "undeliverable", "disputed", "office"})
OPEN_ATTEMPT = frozenset({"sending", "open", "closing"})
OVERDUE_SECONDS = 8
"""A question whose time is over has ended after so long."""


def check(both: Records, ledger: Ledger, key: LogKey, quiet_at: int, now: int) -> Iterator[str]:
    """All of it: one sentence for each violation; what ended after `quiet_at` may not be known to both sides yet."""
    yield from ledger.faults
    yield from _receipts(both, ledger)
    yield from _requests(both, quiet_at, now)
    yield from _deliveries(both)
    yield from _acknowledged(both, ledger)
    yield from _replies(both)
    yield from _revisions(both)
    yield from _declarations(both)
    yield from _items(both, ledger, now)
    yield from _turns(both)
    yield from _feed(both, ledger, quiet_at)
    yield from check_log(both, ledger, key)


# ---- quiet ---------------------------------------------------------------------------------------------------------


def unquiet(both: Records, now: int) -> str | None:
    """What is still under way; None where nothing is."""
    if any(row.state in {"waiting", "held"} for row in both.service["deliveries"]):
        return "deliveries wait"
    if any(row.state in {"sending", "closing"} for row in both.service["attempts"]):
        return "attempts begin or end"
    if any(row.state == "closed" and row.poll_at is not None for row in both.service["attempts"]):
        return "requests that were taken back are fetched"
    if both.provider["outbox"]:
        return "the provider's outbox is not empty"
    if any(row.position is None for row in both.service["feed"]):
        return "entries have no number"
    return _unfetched(both, now)


def _unfetched(both: Records, now: int) -> str | None:
    for row in both.service["attempts"]:
        if row.state == "open" and not _is_open(both.requests.get(row.auth_req_id), now):
            return "requests that have ended are not fetched"
    for row in both.service["questions"]:
        if row.state != "ended" and row.expires_at <= now:
            return "questions whose time is over have not ended"
    return None


def _is_open(request: Row | None, now: int) -> bool:
    return request is not None and request.state == "open" and request.expires_at > now


# ---- the engine ----------------------------------------------------------------------------------------------------


def _receipts(both: Records, ledger: Ledger) -> Iterator[str]:
    """Accepted is stored once, refused is not stored, and nothing is there that nobody posted."""
    stored = Counter(row.question_id for row in both.service["questions"])
    for question_id, said in ledger.receipts.items():
        taken = said[0] in {ACCEPTED, DUPLICATE}
        if stored[question_id] != taken:
            yield f"question: {said[0]}, but stored {stored[question_id]} times ({question_id})"
        if not set(said[1:]) <= {DUPLICATE, "conflict"}:
            yield f"question: its receipts say {said} ({question_id})"
        if taken and stored[question_id]:
            yield from _content(both, both.by_id[question_id], ledger.questions[question_id])
    for question_id in stored.keys() - ledger.questions.keys():
        yield f"question: stored, but never posted ({question_id})"
    for question_id, lists in ledger.withdrawn.items():
        states = {item.state for item in both.items[both.by_id[question_id].no]}
        revised = _is_revised(both, both.by_id[question_id])
        if "withdrawn" in lists and states != {"withdrawn"} and not revised:
            yield f"question: withdrawn, but its items are {sorted(states)} ({question_id})"


def _content(both: Records, row: Row, posted: Mapping[str, Any]) -> Iterator[str]:
    """The row of a question holds what was posted."""
    if both.citizens.get(row.handle) != posted["citizen_id"]:
        yield f"question: stored for somebody else ({row.question_id})"
        return
    if row.expires_at - row.accepted_at != posted["expires_in"] or row.priority != posted["priority"]:
        yield f"question: stored with another time or priority ({row.question_id})"
    kept = [
        both.vault.open(row.handle, contexts.item(row.no, item.item_id), item.box)
        for item in sorted(both.items.get(row.no, []), key=lambda item: int(item.place))
    ]
    if kept != posted["parcels"]:
        yield f"question: stored with other parcels ({row.question_id})"


# ---- the provider --------------------------------------------------------------------------------------------------


def _requests(both: Records, quiet_at: int, now: int) -> Iterator[str]:
    """Attempts and requests, one for one."""
    known = {(both.by_no[row.question_no].question_id, row.attempt): row for row in both.service["attempts"]}
    for name, request in both.asked.items():
        row = known.get(name)
        if row is None:
            yield f"request: of no attempt {name}"
            continue
        yield from _request(both, row, request, name)
    for name, row in known.items():
        yield from _attempt(both, row, both.asked.get(name), quiet_at, now)
    yield from _at_once(both, now)
    yield from _taken_back(both)


def _taken_back(both: Records) -> Iterator[str]:
    """The provider took back what we asked it to take back, and nothing else."""
    cancels = {row.attempt_no for row in both.service["deliveries"] if row.typ == "landcancel+jwt"}
    ours = {both.attempt[no].auth_req_id for no in cancels}
    theirs = {row.auth_req_id for row in both.provider["cancels"]}
    yield from (f"cancel: the provider has one that we never sent ({one})" for one in theirs - ours)
    done = {
        row.attempt_no for row in both.service["deliveries"] if (row.typ, row.outcome) == ("landcancel+jwt", "taken")
    }
    lost = {both.attempt[no].auth_req_id for no in done} - theirs
    yield from (f"cancel: acknowledged, but the provider does not have it ({one})" for one in lost)


def _request(both: Records, row: Row, request: Row, name: tuple[str, int]) -> Iterator[str]:
    question = both.by_no[row.question_no]
    asked = [item["item_id"] for item in json.loads(request.ask)["items"]]
    if request.citizen_id != both.citizens.get(question.handle):
        yield f"request: of another citizen {name}"
    if request.binding_message != question.binding_message:
        yield f"request: with another binding message {name}"
    if asked != json.loads(row.item_ids):
        yield f"request: with other items {name}"
    if row.auth_req_id not in {None, request.auth_req_id}:
        yield f"request: with another auth_req_id {name}"
    ask = both.asks.get(request.ask_jti)
    if ask is None or ask.attempt_no != row.no:
        yield f"request: the provider took an ask that was not durable before it left {name}"
    elif request.token is not None and hashlib.sha256(request.token.encode()).digest() != bytes(ask.token_hash):
        yield f"request: with another token {name}"


def _attempt(both: Records, row: Row, request: Row | None, quiet_at: int, now: int) -> Iterator[str]:
    question = both.by_no[row.question_no]
    name = (question.question_id, row.attempt)
    if row.auth_req_id is not None and request is None:
        yield f"attempt: the provider does not know it {name}"
    if row.state == "open" and not _is_open(request, quiet_at):
        yield f"attempt: open, but over at the provider {name}"
    if row.state == "open" and row.poll_at is None:
        yield f"attempt: open, but never fetched {name}"
    if row.state != "open" and _is_open(request, now) and question.expires_at > now:
        yield f"attempt: {row.state}, but open at the provider {name}"


def _at_once(both: Records, now: int) -> Iterator[str]:
    """One open request for a citizen, one open attempt for a question; also on our side."""
    shown = [request for request in both.requests.values() if _is_open(request, now)]
    for column in ("citizen_id", "question_id"):
        many = Counter(getattr(request, column) for request in shown)
        yield from (f"request: {count} open for one {column}" for count in many.values() if count > 1)
    begun = [row for row in both.service["attempts"] if row.state in OPEN_ATTEMPT]
    handles = Counter(both.by_no[row.question_no].handle for row in begun)
    yield from (f"attempt: {count} open for one citizen" for count in handles.values() if count > 1)


def _deliveries(both: Records) -> Iterator[str]:
    """Each attempt has its ask, delivered or dead; nothing is claimed for ever."""
    rows = grouped(both.service["deliveries"], "attempt_no")
    for attempt_no, row in both.attempt.items():
        name = (both.by_no[row.question_no].question_id, row.attempt)
        sent = Counter(one.typ for one in rows.get(attempt_no, []))
        if sent["landask+jwt"] != 1 or sent["landcancel+jwt"] > 1:
            yield f"delivery: {dict(sent)} of one attempt {name}"
        asked = next((one for one in rows.get(attempt_no, []) if one.typ == "landask+jwt"), None)
        taken = asked is not None and (asked.state, asked.outcome) == ("delivered", "taken")
        if taken != (row.auth_req_id is not None):
            yield f"delivery: its ask is {asked and asked.state}, its auth_req_id {row.auth_req_id} {name}"
        if asked is not None and (asked.state == "dead") != (row.state == "dead"):
            yield f"delivery: its ask is {asked.state}, the attempt {row.state} {name}"
    waiting = [row for row in both.service["deliveries"] if row.state not in {"delivered", "dead", "dropped"}]
    yield from (f"delivery: {row.typ} is {row.state} for ever" for row in waiting)


# ---- what citizens said --------------------------------------------------------------------------------------------


def _acknowledged(both: Records, ledger: Ledger) -> Iterator[str]:
    """What the provider answered 200 to is in its own database, as it was said."""
    replies = {row.auth_req_id: json.loads(row.answers) for row in both.provider["replies"]}
    for auth_req_id, said in ledger.said.items():
        state = both.requests[auth_req_id].state if auth_req_id in both.requests else "unknown"
        if said == DECLINE:
            if state != "declined":
                yield f"provider: declined and acknowledged, but {state} ({auth_req_id})"
        elif state != "answered" or not _is_same(replies.get(auth_req_id), said):
            yield f"provider: answered and acknowledged, but {state} or something else ({auth_req_id})"
    kept = [(row.auth_req_id, json.loads(row.answers)) for row in both.provider["revisions"]]
    for auth_req_id, said in ledger.revised:
        if not any(known == auth_req_id and _is_same(answers, said) for known, answers in kept):
            yield f"provider: a change was acknowledged and is not there ({auth_req_id})"
    declared = {row.declaration_id for row in both.provider["declarations"]}
    yield from (f"provider: a declaration is not there ({one})" for one in ledger.declared.keys() - declared)


def _is_same(kept: Sequence[Mapping[str, Any]] | None, said: Any) -> bool:
    def plain(answers: Any) -> list[tuple[Any, ...]]:
        return sorted((one["item_id"], one["verdict"], one.get("challenge_response") or "") for one in answers)

    return kept is not None and plain(kept) == plain(said)


def _replies(both: Records) -> Iterator[str]:
    """Each reply of the provider is stored once with its content, and nothing else is."""
    said = {row.auth_req_id: row for row in both.provider["replies"]}
    stored: Counter[str] = Counter()
    for attempt_no, row in both.replies.items():
        auth_req_id = both.attempt[attempt_no].auth_req_id
        stored[auth_req_id] += 1
        if auth_req_id not in said:
            yield f"reply: stored, but nobody gave it ({auth_req_id})"
        elif row.answered_at != said[auth_req_id].answered_at or both.answers(attempt_no) != json.loads(
            said[auth_req_id].answers
        ):
            yield f"reply: stored with other content ({auth_req_id})"
    for auth_req_id in said:
        if stored[auth_req_id] != 1:
            yield f"reply: given once, stored {stored[auth_req_id]} times ({auth_req_id})"


def _revisions(both: Records) -> Iterator[str]:
    kept = {
        (both.attempt[row.attempt_no].auth_req_id, row.answered_at): both.revised(row)
        for row in both.service["revisions"]
    }
    said = {(row.auth_req_id, row.answered_at): row for row in both.provider["revisions"]}
    for name, row in said.items():
        if row.state != "delivered" or kept.get(name) != json.loads(row.answers):
            yield f"revision: {row.state}, but {'other' if name in kept else 'not'} stored {name}"
    yield from (f"revision: stored, but nobody gave it {name}" for name in kept.keys() - said.keys())


def _declarations(both: Records) -> Iterator[str]:
    kept = {row.declaration_id: row for row in both.service["declarations"]}
    said = {row.declaration_id: row for row in both.provider["declarations"]}
    cases = Counter(row.declaration_id for row in both.service["cases"] if row.kind == "declaration")
    for name, row in said.items():
        if name not in kept:
            yield f"declaration: given, but not stored ({name})"
            continue
        context = contexts.declaration(name)
        if both.vault.open(kept[name].handle, context, kept[name].box) != json.loads(row.content):
            yield f"declaration: stored with other content ({name})"
        if row.state != kept[name].status:
            yield f"declaration: the citizen reads {row.state}, we have {kept[name].status} ({name})"
        if cases[name] != (kept[name].status == "queued_for_review"):
            yield f"declaration: {cases[name]} cases ({name})"
    yield from (f"declaration: stored, but nobody gave it ({name})" for name in kept.keys() - said.keys())


# ---- what follows from it ------------------------------------------------------------------------------------------


def expected(answers: Sequence[tuple[Mapping[str, Any], str | None]]) -> tuple[str, bool]:
    """What a citizen's answers to one item, each with the item's serial, make of it, and whether the claim is proven.

    >>> mine = {"verdict": "mine", "challenge_response": "4567"}
    >>> expected([(mine, "AB 1234567")]), expected([(mine, "AB 000000")]), expected([(mine, "AB 000000")] * 3)
    (('settled', True), ('again', False), ('office', False))
    """
    wrong, outcome = 0, ("unasked", False)
    for answer, serial in answers:
        proof = _proof(answer["challenge_response"], serial)
        wrong += proof == "wrong"
        if answer["verdict"] == "not_mine":
            outcome = ("settled", False)
        elif answer["verdict"] == "mine" and proof == "met":
            outcome = ("settled", True)
        elif answer["verdict"] == "mine" and proof == "wrong":
            outcome = ("again" if wrong < 3 else "office", False)
        else:
            outcome = ("office", False)
    return outcome


def _proof(response: str | None, serial: str | None) -> str:
    if response is None or serial is None:
        return "none"
    right = "".join(sign for sign in serial if sign.isalnum())[-4:]
    same = response.replace("O", "0").replace("I", "1") == right.replace("O", "0").replace("I", "1")
    return "met" if same else "wrong"


def _is_revised(both: Records, question: Row) -> bool:
    numbers = {row.no for row in both.attempts.get(question.no, [])}
    return any(row.attempt_no in numbers for row in both.service["revisions"])


def _items(both: Records, ledger: Ledger, now: int) -> Iterator[str]:
    """Each item of each question by its own history."""
    history = _History.of(both, ledger, now)
    for question in both.service["questions"]:
        spoken = _spoken(both, question)
        serials = _serials(ledger, question)
        for item in both.items.get(question.no, []):
            told = expected([(one, serials[item.item_id]) for one in spoken.get(item.item_id, [])])
            allowed = _allowed(history, question, item, told)
            if item.state not in allowed:
                name = (question.question_id, item.item_id)
                yield f"item: {item.state}, by its answers ({told[0]}) {' or '.join(sorted(allowed))} {name}"
            if item.state == "settled" and item.proven != told[1]:
                yield f"item: proven is {item.proven} ({question.question_id})"
        if question.frozen != (question.no in history.reported):
            yield f"question: frozen is {question.frozen}, by what was said it is not ({question.question_id})"
        state = _question_state(both.items.get(question.no, []), question)
        if question.state != state:
            yield f"question: is {question.state}, its items make it {state} ({question.question_id})"


def _serials(ledger: Ledger, question: Row) -> dict[str, str | None]:
    return {one["item_id"]: one["certificate_serial"] for one in ledger.questions[question.question_id]["parcels"]}


def _is_proven(both: Records, ledger: Ledger, question_no: int, answer: Mapping[str, Any]) -> bool:
    serial = _serials(ledger, both.by_no[question_no])[answer["item_id"]]
    return answer["verdict"] == "mine" and _proof(answer["challenge_response"], serial) == "met"


def _question_state(items: Sequence[Row], question: Row) -> str:
    if not any(item.state in WAITING for item in items):
        return "ended"
    if question.asked_at is None:
        return "created"
    return "answered" if any(item.answered_at is not None for item in items) else "sent"


@dataclass
class _History:
    """What an item's state may follow from, beside its own answers."""

    both: Records
    now: int
    revised: set[tuple[int, str]]
    """Items of questions that their citizen took back."""
    reported: set[int]
    """Questions that are frozen by what was said."""
    proven: set[tuple[int, str]]
    """Items of questions that their citizen has proven at any time."""
    candidates: dict[str, list[Row]]
    dead: set[int]
    withdrawn: set[str]
    cancelled: set[int]
    """Attempts that were taken back."""

    @classmethod
    def of(cls, both: Records, ledger: Ledger, now: int) -> _History:
        """Read once for all items."""
        counted = [(both.attempt[no], both.answers(no)) for no, row in both.replies.items() if not row.late]
        changed = [(both.attempt[row.attempt_no], both.revised(row)) for row in both.service["revisions"]]
        said = [(row.question_no, answer) for row, answers in counted + changed for answer in answers]
        revised = {(row.question_no, answer["item_id"]) for row, answers in changed for answer in answers}
        reported = {no for no, answer in said if answer["verdict"] == "suspected_fraud"}
        proven = {(no, answer["item_id"]) for no, answer in said if _is_proven(both, ledger, no, answer)}
        dead = {row.question_no for row in both.service["attempts"] if row.state == "dead"}
        withdrawn = {one for one, lists in ledger.withdrawn.items() if "withdrawn" in lists}
        cancelled = {row.attempt_no for row in both.service["deliveries"] if row.typ == "landcancel+jwt"}
        return cls(both, now, revised, reported, proven, _candidates(both), dead, withdrawn, cancelled)


def _candidates(both: Records) -> dict[str, list[Row]]:
    return grouped(both.service["items"], "item_id")


def _spoken(both: Records, question: Row) -> dict[str, list[dict[str, Any]]]:
    """By item what the replies say that were not late, in the order of the attempts."""
    spoken: dict[str, list[dict[str, Any]]] = {}
    for row in both.attempts.get(question.no, []):
        if row.no in both.replies and not both.replies[row.no].late:
            for answer in both.answers(row.no):
                spoken.setdefault(answer["item_id"], []).append(answer)
    return spoken


def _allowed(history: _History, question: Row, item: Row, told: tuple[str, bool]) -> set[str]:
    """The states in which the item may be."""
    others = history.candidates[item.item_id]
    doubted = any((other.question_no, item.item_id) in history.revised for other in others)
    proven = [other for other in others if (other.question_no, item.item_id) in history.proven]
    disputed = {"disputed"} if len(proven) > 1 and item in proven else set()
    if (question.no, item.item_id) in history.revised:
        return {"office"} | disputed
    if told == ("settled", True):
        return {"settled"} | disputed | ({"office"} if doubted or question.frozen else set())
    if told[0] == "settled":
        return {"settled"} | ({"office"} if question.frozen else set())
    if told[0] == "office":
        return {"office"} | disputed
    if question.frozen:
        return {"office", "withdrawn", "declined", "expired", "undeliverable"}
    return _open_or_ended(history, question, others)


def _open_or_ended(history: _History, question: Row, others: Sequence[Row]) -> set[str]:
    """Nothing was said that settles the item: it waits, or something else ended it."""
    allowed = set(WAITING) if history.now < question.expires_at + OVERDUE_SECONDS else set()
    for row in history.both.attempts.get(question.no, []):
        request = history.both.asked.get((question.question_id, row.attempt))
        if request is not None and request.state == "declined":
            allowed = {"declined"} | (allowed if row.no in history.cancelled else set())
    if question.no in history.dead:
        allowed = {"undeliverable"}
    if history.now >= question.expires_at:
        allowed.add("expired")
    taken = any(_takes(other) for other in others if other.question_no != question.no)
    if taken or question.question_id in history.withdrawn:
        allowed.add("withdrawn")
    return allowed


def _takes(item: Row) -> bool:
    return item.state in {"office", "disputed"} or (item.state == "settled" and item.verdict == "mine")


def _turns(both: Records) -> Iterator[str]:
    """Nobody waits in vain, and nobody is asked out of turn."""
    busy = {both.by_no[row.question_no].handle for row in both.service["attempts"] if row.state in OPEN_ATTEMPT}
    for item_id, claims in _candidates(both).items():
        waiting = [one for one in claims if one.state in WAITING]
        ahead = [one for one in waiting if one.state in {"free", "asked"}]
        first = min((_order(one) for one in claims if _takes(one)), default=None)
        if len(ahead) > 1:
            yield f"turn: {len(ahead)} candidates at once ({item_id})"
        if first is not None and any(_order(one) > first for one in waiting):
            yield f"turn: waits behind an item that is taken ({item_id})"
        if waiting and not ahead:
            yield f"turn: all wait, nobody is asked ({item_id})"
        for one in ahead:
            if one.state == "free" and both.by_no[one.question_no].handle not in busy:
                yield f"turn: nothing holds it up, and it is not asked ({item_id})"


def _order(item: Row) -> tuple[int, int]:
    """Rank, then acceptance."""
    return item.rank, item.question_no


# ---- the feed ------------------------------------------------------------------------------------------------------

TOLD = ("state", "verdict", "proven", "evidence_level", "answered_at")


def _feed(both: Records, ledger: Ledger, quiet_at: int) -> Iterator[str]:
    """Numbered without gap, without repetition, up to date, and collected as it stands."""
    rows = sorted(both.service["feed"], key=lambda row: row.position or 0)
    if [row.position for row in rows] != list(range(1, len(rows) + 1)):
        yield f"feed: positions are not 1 to {len(rows)}"
    collected = [tuple(one[name] for name in ("question_id", "item_id", "citizen_id", *TOLD)) for one in ledger.entries]
    stored = [
        (
            both.by_no[row.question_no].question_id,
            row.item_id,
            both.citizens[both.by_no[row.question_no].handle],
            *(getattr(row, name) for name in TOLD),
        )
        for row in rows
    ]
    fresh = {leaf.subject for leaf in both.leaves if leaf.event == "state" and leaf.time >= quiet_at}
    later = stored[len(collected) :]
    if collected != stored[: len(collected)] or not all(subject(one[0]) in fresh for one in later):
        yield f"feed: {len(stored)} entries, the engine collected {len(collected)}, or others"
    last: dict[tuple[int, str], tuple[Any, ...]] = {}
    for row in rows:
        name, told = (row.question_no, row.item_id), tuple(getattr(row, column) for column in TOLD)
        if last.get(name) == told:
            yield f"feed: the same entry twice ({row.item_id})"
        last[name] = told
    for item in both.service["items"]:
        told = tuple(getattr(item, column) for column in TOLD)
        found = last.get((item.question_no, item.item_id))
        if (item.state in ENDS) != (found is not None) or (found is not None and found != told):
            yield f"feed: the item is {item.state}, its last entry {found and found[0]} ({item.item_id})"
