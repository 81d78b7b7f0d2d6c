"""The checker's look at the log: is it a tree of all its leaves, and has each effect its leaf and each leaf its effect.

Rules (protocol §5, §6)
- Positions are 0 to n - 1. Every checkpoint ever signed is the root over the first leaves, computed here from the
  leaves alone by a second implementation of RFC 6962.
- Both ways, for each question and event: what a row tells and what the log tells are counted and compared.
- Every message of the engine that was answered 200 is a leaf, and its sealed answer another, by their SHA-256 as they
  crossed the wire; no leaf tells of a message that the engine did not send.
- A message is never sent twice at a time, however many workers there are.
- Each `commit` opens with its record to a JWS.

Worked example: `check_log(both, ledger, settings)` is a list of sentences, empty where all is well.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks.tools.kill_process import CLAIM_SECONDS
from benchmarks.tools.kill_records import Leaf, Records, Row
from benchmarks.tools.kill_traffic import Ledger
from confirm_api.audit.checkpoint import LogKey, NoteError, open_note, parse_checkpoint
from confirm_api.audit.log import NONCE_BYTES, record_context
from exchange.canonical import canonical

ENGINE_EVENTS = {"landquestions": "questions", "landwithdraw": "questions/withdraw", "landcollect": "answers"}
SENT_EVENTS = frozenset({"landask", "landcancel", "landfetch"})
TAKEN = frozenset({"accepted", "duplicate"})


def check_log(both: Records, ledger: Ledger, key: LogKey) -> Iterator[str]:
    """All of it; the service does not run, so everything has its number."""
    yield from _tree(both, key)
    yield from _form(both)
    yield from _commits(both)
    yield from _engine(both, ledger)
    yield from _spent(both)
    yield from _effects(both)
    yield from _deliveries(both)
    yield from _alone(both)


# ---- the tree ------------------------------------------------------------------------------------------------------


def _tree(both: Records, key: LogKey) -> Iterator[str]:
    positions = sorted(leaf.position if leaf.position is not None else -1 for leaf in both.leaves)
    if positions != list(range(len(positions))):
        yield f"log: positions are not 0 to {len(positions) - 1}"
        return
    texts = [leaf.text for leaf in sorted(both.leaves, key=lambda leaf: leaf.position or 0)]
    signed = both.service["checkpoints"]
    if (signed[-1].size if signed else 0) != len(texts):
        yield f"log: the last checkpoint has {signed[-1].size if signed else 0} of {len(texts)} leaves"
    roots = dict(zip(range(len(texts) + 1), roots_of(texts), strict=True))
    for row in signed:
        if bytes(row.root) != roots.get(row.size):
            yield f"log: the checkpoint of {row.size} leaves has another root"
        try:
            told = parse_checkpoint(open_note(row.note, key.verifier))
        except NoteError as error:
            yield f"log: the checkpoint of {row.size} leaves: {error}"
            continue
        if (told.size, told.root) != (row.size, bytes(row.root)):
            yield f"log: the note of {row.size} leaves tells another tree"


def roots_of(texts: Iterable[str]) -> Iterator[bytes]:
    """The root after no leaf, after one, after two …: RFC 6962 by the binary counter of complete subtrees.

    >>> [root.hex()[:8] for root in roots_of(["a", "b"])]
    ['e3b0c442', '022a6979', 'b137985f']
    """
    stack: list[tuple[int, bytes]] = []
    yield hashlib.sha256(b"").digest()
    for text in texts:
        stack.append((1, hashlib.sha256(b"\0" + text.encode()).digest()))
        while len(stack) > 1 and stack[-1][0] == stack[-2][0]:
            size, right = stack.pop()
            _, left = stack.pop()
            stack.append((2 * size, _node(left, right)))
        root = stack[-1][1]
        for _, left in reversed(stack[:-1]):
            root = _node(left, root)
        yield root


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _form(both: Records) -> Iterator[str]:
    members = {
        "v", "time", "event", "subject", "sealed", "commit", "from_kid", "to_kid", "outcome", "reason",
    }  # fmt: skip
    for leaf in both.leaves:
        if leaf.said.keys() != members or canonical(dict(leaf.said)).decode() != leaf.text:
            yield f"log: leaf {leaf.position} is not as RFC 8785 writes it"
        known = leaf.subject is None or leaf.subject in both.subjects
        if not known and leaf.event not in {"landwithdraw", "landwithdraw-receipt"}:  # of an id that nobody posted
            yield f"log: leaf {leaf.position} ({leaf.event}) is about a question that is not there"


def _commits(both: Records) -> Iterator[str]:
    tied = {leaf.no: leaf for leaf in both.leaves if leaf.commit is not None}
    rows = {row.leaf_no: row for row in both.service["records"]}
    if tied.keys() != rows.keys():
        yield f"log: {len(tied.keys() ^ rows.keys())} records are without commit, or commits without record"
    for number in tied.keys() & rows.keys():
        row = rows[number]
        opened = both.vault.open_together(json.loads(row.handles), record_context(number), row.box)
        nonce, inner = opened[:NONCE_BYTES], opened[NONCE_BYTES:]
        if hmac.digest(nonce, inner, "sha256").hex() != tied[number].commit or inner.count(b".") != 2:
            yield f"log: the commit of leaf {tied[number].position} is not that of its record"


# ---- messages of the engine ----------------------------------------------------------------------------------------


def _engine(both: Records, ledger: Ledger) -> Iterator[str]:
    """Requests and answers as they crossed the wire, and the leaves that tell of them."""
    exchanges = list(ledger.exchanges)
    taken = Counter(one.request for one in exchanges if one.status == 200)
    heard = Counter(one.answer for one in exchanges if one.status == 200)
    tried = {one.request for one in exchanges}
    asked = [leaf for leaf in both.leaves if leaf.event in ENGINE_EVENTS and leaf.outcome in TAKEN]
    answers = {"landquestions-receipt", "landwithdraw-receipt", "landanswers"}
    answered = [leaf for leaf in both.leaves if leaf.event in answers]
    logged = Counter(leaf.sealed for leaf in asked)
    yield from _each("log: an acknowledged request of the engine is a leaf once", taken - logged)
    yield from _each("log: a request of the engine is a leaf once", logged - Counter(tried))
    sent = Counter(leaf.sealed for leaf in answered if leaf.outcome == "sent")
    yield from _each("log: an answer that the engine heard is a leaf once", heard - sent)
    if len(answered) != len(asked):
        yield f"log: {len(asked)} requests of the engine have {len(answered)} answers"
    surprising = Counter(one.status for one in exchanges if one.status not in {200, 429, 503, None})
    yield from _each("engine: only 200, 429 and 503 are expected, found status", surprising)


def _each(rule: str, wrong: Counter[Any]) -> Iterator[str]:
    yield from (f"{rule}: {str(what)[:16]} ({count} too many or too few)" for what, count in wrong.items())


def _spent(both: Records) -> Iterator[str]:
    """Each `jti` that was spent is a message in the log, and each message has spent one."""
    heard = {*ENGINE_EVENTS, "landrevise", "landdecl", "landreply", "landcancel-receipt"}
    messages = [leaf for leaf in both.leaves if leaf.event in heard and _spends(leaf)]
    if len(messages) != len(both.service["seen_jtis"]):
        yield f"log: {len(both.service['seen_jtis'])} jti are spent, {len(messages)} messages are logged"


def _spends(leaf: Leaf) -> bool:
    """A refusal by one of the checks (1) to (14) spends nothing; any later one does."""
    return leaf.outcome in TAKEN or not str(leaf.reason).isdecimal() or leaf.reason == "15"


# ---- effects -------------------------------------------------------------------------------------------------------


def _effects(both: Records) -> Iterator[str]:
    """Rows and leaves, counted for each question both ways."""
    answered = [both.attempt[row.attempt_no] for row in both.service["replies"]]
    changed = [both.attempt[row.attempt_no] for row in both.service["revisions"]]
    asked = [both.attempt[row.attempt_no] for row in both.service["asks"]]
    frozen = [row.question_id for row in both.service["questions"] if row.frozen]
    pairs: dict[str, tuple[Counter[Any], Counter[Any]]] = {
        "a question and 'created'": (Counter(list(both.by_id)), _of(both, "state", reasons={"created"})),
        "replies and 'landreply accepted'": (_names(both, answered), _of(both, "landreply")),
        "revisions and 'landrevise accepted'": (_names(both, changed), _of(both, "landrevise")),
        "asks and 'landask sent'": (_names(both, asked), _of(both, "landask", outcomes={"sent"})),
        "frozen questions and 'frozen'": (Counter(frozen), _of(both, "state", reasons={"frozen"})),
        "cases and theirs": (_cases(both), _told_cases(both)),
    }
    for what, (rows, leaves) in pairs.items():
        yield from _same(what, rows, leaves)
    declared = sum(leaf.event == "landdecl" and leaf.outcome == "accepted" for leaf in both.leaves)
    if declared != len(both.service["declarations"]):
        yield f"log: {len(both.service['declarations'])} declarations, {declared} leaves 'landdecl accepted'"
    for event in ("landrevise", "landdecl"):
        yield from _answered(both.leaves, event)
    yield from _entries(both)


def _names(both: Records, attempts: Iterable[Row]) -> Counter[str]:
    return Counter(both.by_no[row.question_no].question_id for row in attempts)


def _cases(both: Records) -> Counter[tuple[str | None, str]]:
    return Counter(
        (both.by_no[row.question_no].question_id if row.question_no else None, f"case-{row.kind.replace('_', '-')}")
        for row in both.service["cases"]
    )


def _told_cases(both: Records) -> Counter[tuple[str | None, str]]:
    told = [leaf for leaf in both.leaves if leaf.event == "state" and str(leaf.reason).startswith("case-")]
    return Counter((both.subjects.get(leaf.subject), leaf.reason) for leaf in told)


def _of(
    both: Records,
    event: str,
    *,
    outcomes: Iterable[str] = ("accepted",),
    reasons: Iterable[str] | None = None,
) -> Counter[str]:
    return Counter(
        both.subjects.get(leaf.subject, "nobody's")
        for leaf in both.leaves
        if leaf.event == event and leaf.outcome in outcomes and (reasons is None or leaf.reason in reasons)
    )


def _same(what: str, rows: Counter[Any], leaves: Counter[Any]) -> Iterator[str]:
    for name in sorted(rows.keys() | leaves.keys(), key=str):
        if rows[name] != leaves[name]:
            yield f"log: {what}: {rows[name]} rows, {leaves[name]} leaves ({name})"


def _answered(leaves: Sequence[Leaf], event: str) -> Iterator[str]:
    asked = sum(leaf.event == event and leaf.outcome in TAKEN for leaf in leaves)
    sent = sum(leaf.event == f"{event}-receipt" and leaf.outcome == "sent" for leaf in leaves)
    if asked != sent:
        yield f"log: {asked} {event} have {sent} receipts"


def _entries(both: Records) -> Iterator[str]:
    """An end has its entry in the feed and its leaf; several items that end together share one leaf."""
    ends = {"settled", "declined", "expired", "withdrawn", "undeliverable", "disputed", "office"}
    entries = Counter((both.by_no[row.question_no].question_id, row.state) for row in both.service["feed"])
    told = Counter(
        (both.subjects.get(leaf.subject, "nobody's"), leaf.reason)
        for leaf in both.leaves
        if leaf.event == "state" and leaf.reason in ends
    )
    for name in entries.keys() | told.keys():
        if not (0 < told[name] <= entries[name]):
            yield f"log: ends of a question: {entries[name]} entries, {told[name]} leaves {name}"


# ---- deliveries ----------------------------------------------------------------------------------------------------


def _deliveries(both: Records) -> Iterator[str]:
    """Each try is a leaf `sent`; each delivery that ended has a leaf that says how."""
    sent = sum(leaf.event in SENT_EVENTS and leaf.outcome == "sent" for leaf in both.leaves)
    taken = len(both.provider["seen_messages"])
    if taken > sent:
        yield f"log: the provider took {taken} messages, {sent} were logged before they left"
    for typ in ("landask", "landcancel"):
        rows = [row for row in both.service["deliveries"] if row.typ == f"{typ}+jwt"]
        names = {row.no: both.by_no[both.attempt[row.attempt_no].question_no].question_id for row in rows}
        yield from _tries(both, typ, rows, names)
        for outcome in ("delivered", "dead"):
            yield from _ended(both, typ, outcome, Counter(names[row.no] for row in rows if row.state == outcome))


def _tries(both: Records, typ: str, rows: Sequence[Row], names: Mapping[int, str]) -> Iterator[str]:
    sent, tries = _of(both, typ, outcomes={"sent"}), Counter[str]()
    for row in rows:
        tries[names[row.no]] += row.tries
    for name in sent.keys() | tries.keys():
        # A claim that finds the question's time over sends nothing.
        if sent[name] > tries[name] or (sent[name] < tries[name] and typ != "landask"):
            yield f"log: {typ} was tried {tries[name]} times, sent {sent[name]} times ({name})"


def _ended(both: Records, typ: str, outcome: str, ended: Counter[str]) -> Iterator[str]:
    told = Counter(
        both.subjects.get(leaf.subject, "nobody's")
        for leaf in both.leaves
        if leaf.event == typ and leaf.outcome == outcome and leaf.reason != "late"
    )
    for name in ended.keys() | told.keys():
        again = typ == "landcancel" and told[name] > ended[name] > 0  # a second receipt is told in the same words
        if told[name] != ended[name] and not again:
            yield f"log: {typ} {outcome}: {ended[name]} rows, {told[name]} leaves ({name})"


def _alone(both: Records) -> Iterator[str]:
    """A message is sent again only after its result, or when the claim of whoever sent it has ended.

    What a cancel was for is fetched at once after its receipt, whoever may be fetching it.
    """
    sent_at: dict[tuple[str, str], int] = {}
    for leaf in sorted(both.leaves, key=lambda leaf: leaf.no):
        if leaf.event not in SENT_EVENTS:
            continue
        name = (leaf.event, leaf.subject)
        if leaf.outcome != "sent":
            sent_at.pop(name, None)
            if leaf.event == "landcancel":
                sent_at.pop(("landfetch", leaf.subject), None)
            continue
        after = leaf.time - sent_at.get(name, 0)
        if after < CLAIM_SECONDS:
            yield f"log: {leaf.event} was sent again after {after} s ({both.subjects[leaf.subject]})"
        sent_at[name] = leaf.time
