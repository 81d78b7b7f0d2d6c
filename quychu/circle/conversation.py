"""Post questions, collect answers, withdraw: each step durable in the run folder, each safe to repeat.

Rules
- A batch holds as many questions as fit one message; its receipt is written before the next batch goes out.
- What a receipt names is not posted again; a batch whose receipt was lost is, and comes back as `duplicates`.
- Answers come page by page; a page is on the disk before the next is asked for, and its `next` is the place to go on.
- Questions in `questions.parquet` = accepted + refused, always; the reasons of refusal are counted.

Example: `post_questions(channel, run)` then `collect_answers(channel, run)` write `run/circle/…` and `answers.parquet`.
"""

from __future__ import annotations

import json
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import polars as pl

from exchange.ids import new_id
from exchange.tables import ANSWERS, QUESTIONS, Table
from linkage.ask.tables import ASKED
from linkage.outputs.durable import write_json, write_parquet
from quychu.errors import QuychuError

LARGEST_BATCH_BYTES = 140_000
"""JSON of a batch: two layers of base64 and the headers keep it below the protocol's 262,144 bytes."""

LARGEST_BATCH = 100
"""A batch is one transaction of the service: smaller ones keep its other answers quick."""
_PAGE = 1000
_WITHDRAWN_AT_ONCE = 1000


REHEARSAL = "rehearsal"
"""The partner of a conversation with simulated citizens; it may be thrown away."""


def bind(run: Path, partner: str) -> None:
    """Receipts and cursors are one service's: refuse to go on with another one."""
    told = _folder(run, "") / "partner.json"
    if not told.exists():
        write_json(told, {"partner": partner})
    known = json.loads(told.read_text(encoding="utf-8"))["partner"]
    if known != partner:
        raise QuychuError(
            f"{run.name}: expected the service this run has talked to ({known}), found {partner}; "
            "give its settings, or link into another folder."
        )


def begin_rehearsal(run: Path) -> None:
    """An empty conversation; one with a real service is never thrown away."""
    told = run / "circle" / "partner.json"
    if told.exists() and json.loads(told.read_text(encoding="utf-8"))["partner"] == REHEARSAL:
        shutil.rmtree(run / "circle")
        (run / "answers.parquet").unlink(missing_ok=True)
    bind(run, REHEARSAL)


class Caller(Protocol):
    """What sends one message and returns the content of its answer."""

    def call(self, typ: str, content: dict[str, Any]) -> dict[str, Any]:
        """Send and hear."""


@dataclass(frozen=True)
class Posted:
    """What became of the questions of a run, over all batches so far."""

    questions: int
    accepted: int
    refused: dict[str, int]

    def sentence(self) -> str:
        """One line for a person."""
        why = ", ".join(f"{reason} {count:,}" for reason, count in sorted(self.refused.items()))
        refused = sum(self.refused.values())
        tail = f" ({why})" if why else ""
        return f"questions {self.questions:,} = accepted {self.accepted:,} + refused {refused:,}{tail}"


def post_questions(
    caller: Caller, run: Path, *, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> Posted:
    """Post what `questions.parquet` holds and no receipt names yet."""
    questions = _questions(run)
    folder = _folder(run, "batches")
    known = _receipted(folder)
    waiting = questions.filter(~pl.col("question_id").is_in(list(known)))
    done = questions.height - waiting.height
    for batch in batches(_messages(waiting)):
        batch_id = new_id()
        receipt = caller.call("landquestions+jwt", {"batch_id": batch_id, "questions": batch})
        write_json(folder / f"{_next_number(folder):06}.json", {"receipt": receipt})
        done += len(batch)
        progress(done, questions.height)
    return posted(run)


def posted(run: Path) -> Posted:
    """What the receipts say so far."""
    questions = _questions(run)
    receipts = _receipted(_folder(run, "batches"))
    known = set(questions["question_id"])
    said = {question: verdict for question, verdict in receipts.items() if question in known}
    refused = Counter(verdict for verdict in said.values() if verdict is not None)
    return Posted(questions.height, sum(verdict is None for verdict in said.values()), dict(refused))


def collect_answers(
    caller: Caller,
    run: Path,
    *,
    wait_seconds: float = 0.0,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> pl.DataFrame:
    """Bring what is new, until nothing is new; with `wait_seconds`, until every accepted item has an outcome."""
    until, expected = clock() + wait_seconds, _accepted_items(run)
    while True:
        _collect_pages(caller, _folder(run, "answers"))
        answers = answers_of(run)
        open_items = expected.join(answers, on=["question_id", "item_id"], how="anti").height
        progress(expected.height - open_items, expected.height)
        if open_items == 0 or clock() >= until:
            write_parquet(run / "answers.parquet", answers)
            return answers
        sleep(min(1.0, max(until - clock(), 0.0)))


def answers_of(run: Path) -> pl.DataFrame:
    """All entries collected so far for the questions of this run, of all its rounds, in their order."""
    entries = [entry for page in _pages(_folder(run, "answers")) for entry in page["answers"]]
    columns = {name: kind for name, kind in ANSWERS.schema.items() if name != "entry"}
    frame = pl.DataFrame(entries, schema=columns).with_row_index("entry").cast({"entry": pl.Int64})
    ours = _asked(run).select("question_id").unique()
    return frame.join(ours, on="question_id", how="semi", maintain_order="left").select(list(ANSWERS.schema))


def outcomes(answers: pl.DataFrame) -> str:
    """One line: how many items ended how, by their last entry.

    >>> outcomes(ANSWERS.empty())
    'no outcome yet'
    """
    last = answers.sort("entry").group_by("question_id", "item_id").last()
    counts = last.group_by("state").len().sort("state")
    return ", ".join(f"{state} {count:,}" for state, count in counts.iter_rows()) or "no outcome yet"


def withdraw_open(caller: Caller, run: Path, reason: str) -> Counter[str]:
    """Withdraw every accepted question that has an item without an outcome; counts of withdrawn, too_late, unknown."""
    return withdraw_questions(caller, open_items(run)["question_id"].unique(maintain_order=True).to_list(), reason)


def open_items(run: Path) -> pl.DataFrame:
    """`question_id`, `item_id` of what was accepted and has no outcome yet."""
    return _accepted_items(run).join(answers_of(run), on=["question_id", "item_id"], how="anti")


def withdraw_questions(caller: Caller, ids: Sequence[str], reason: str) -> Counter[str]:
    """Withdraw these questions; counts of withdrawn, too_late, unknown."""
    counts: Counter[str] = Counter()
    for start in range(0, len(ids), _WITHDRAWN_AT_ONCE):
        content = {"batch_id": new_id(), "question_ids": ids[start : start + _WITHDRAWN_AT_ONCE], "reason": reason}
        receipt = caller.call("landwithdraw+jwt", content)
        counts.update({name: len(receipt[name]) for name in ("withdrawn", "too_late", "unknown")})
    return counts


def batches(questions: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Questions in their order, in lists that fit one message.

    >>> [len(batch) for batch in batches([{"question_id": "q", "parcels": ["x" * 60_000]}] * 5)]
    [2, 2, 1]
    """
    batch: list[dict[str, Any]] = []
    size = 0
    for question in questions:
        length = len(json.dumps(question, ensure_ascii=False).encode()) + 1
        if batch and (size + length > LARGEST_BATCH_BYTES or len(batch) == LARGEST_BATCH):
            yield batch
            batch, size = [], 0
        batch.append(question)
        size += length
    if batch:
        yield batch


# ---- the run folder ------------------------------------------------------------------------------------------------


def _messages(questions: pl.DataFrame) -> list[dict[str, Any]]:
    columns = ["question_id", "citizen_id", "parcels", "priority", "expires_in"]
    rows = questions.select(columns).to_dicts()
    for row in rows:
        for parcel in row["parcels"]:
            area = parcel["area_m2"]
            parcel["area_m2"] = int(area) if area is not None and float(area).is_integer() else area
    return rows


def _folder(run: Path, name: str) -> Path:
    folder = run / "circle" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _questions(run: Path) -> pl.DataFrame:
    return _there(run / "questions.parquet", QUESTIONS)


def _asked(run: Path) -> pl.DataFrame:
    """Question and item of every round."""
    _there(run / "questions.parquet", QUESTIONS)
    return ASKED.check(pl.read_parquet(run / "asked.parquet"))


def _there(path: Path, table: Table) -> pl.DataFrame:
    if not path.exists():
        raise QuychuError(f"{path.name}: expected it in the run folder, found none; run `quychu ask` first.")
    frame = pl.read_parquet(path)
    if faults := table.faults(frame):
        raise QuychuError(f"{path.name}: {faults[0]}; run `quychu ask` again.")
    return frame


def _pages(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))]


def _next_number(folder: Path) -> int:
    return max((int(file.stem) for file in folder.glob("*.json")), default=0) + 1


def _receipted(folder: Path) -> dict[str, str | None]:
    """Question → None where accepted, else why it was refused; a later receipt stands above an earlier one."""
    said: dict[str, str | None] = {}
    for page in _pages(folder):
        receipt = page["receipt"]
        said.update(dict.fromkeys([*receipt["accepted"], *receipt["duplicates"]]))
        said.update({refused["question_id"]: refused["why"] for refused in receipt["refused"]})
    return said


def _accepted_items(run: Path) -> pl.DataFrame:
    accepted = [question for question, why in _receipted(_folder(run, "batches")).items() if why is None]
    return _asked(run).filter(pl.col("question_id").is_in(accepted)).select("question_id", "item_id").unique()


def _collect_pages(caller: Caller, folder: Path) -> None:
    pages = _pages(folder)
    after = pages[-1]["next"] if pages else None
    while True:
        page = caller.call("landcollect+jwt", {"after": after, "limit": _PAGE})
        if not page["answers"]:
            return
        write_json(folder / f"{_next_number(folder):06}.json", {"after": after, **page})
        after = page["next"]
