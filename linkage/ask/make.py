"""Make questions: a run's tables → `QUESTIONS`, `ITEMS`, `ASKED`; no file, no clock, no chance of its own.

Rules
- An item's id is drawn once and kept for ever: the same place has the same id in every candidate's question and in
  every later round.
- A question that says the same as an earlier one keeps its id, so posting again has no effect; one that says anything
  else has a new id.
- Time is shared out: of n candidates for a place the k-th has k / n of the days, since all count from acceptance and a
  silent first candidate would otherwise leave the second no time at all.
- Ids come from `token`: 128 random bits, never derived from a person or a parcel.

Worked example: `make(tables, earlier, Plan(budget=500), today=…, token=token)` gives 500 questions, 25 of them by lot.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from linkage.ask import facts
from linkage.ask.askable import PLACE, askable
from linkage.ask.gain import by_citizen, choose, cut_to, with_gain
from linkage.ask.plan import Plan
from linkage.ask.tables import ASKED, ITEMS, PARCEL, QUESTIONS
from linkage.evidence.same_hand import hands

Token = Callable[[], str]


def token() -> str:
    """128 random bits as 22 characters of base64url."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Tables:
    """What a finished run gives: final tables, and mentions with their line, person and place.

    `lines` holds `OWNER_LINES` of the owner file, or is None.
    """

    links: pl.DataFrame
    candidates: pl.DataFrame
    citizens: pl.DataFrame
    mentions: pl.DataFrame
    owner_ids: pl.DataFrame
    lines: pl.DataFrame | None = None


@dataclass(frozen=True)
class Earlier:
    """What earlier rounds left: their questions, ids of items, and which citizen denied which place."""

    questions: pl.DataFrame = field(default_factory=QUESTIONS.empty)
    items: pl.DataFrame = field(default_factory=ITEMS.empty)
    asked: pl.DataFrame = field(default_factory=ASKED.empty)
    denied: pl.DataFrame = field(
        default_factory=lambda: pl.DataFrame(schema=dict.fromkeys([*PLACE, "citizen_id"], pl.String))
    )


@dataclass(frozen=True)
class Asked:
    """The questions of this round, the ids of all items so far, what was known, and counts for `run.json`."""

    questions: pl.DataFrame
    items: pl.DataFrame
    asked: pl.DataFrame
    counts: dict[str, int]
    left_out: dict[str, int]


def _of_places(pairs: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    """Each place once with its mention, its serial and its hand."""
    named = tables.mentions.join(tables.owner_ids, on="line")
    columns = ("mention", "serial", "name_folded", "id12", "id9")
    places = pairs.select(*PLACE, "person_id").unique(maintain_order=True)
    found = places.join(named.select(*PLACE, *columns), on=PLACE, how="left", maintain_order="left")
    return found.with_columns(hands(found))


def _drawn(count: int, draw: Token) -> pl.Series:
    return pl.Series([draw() for _ in range(count)], dtype=pl.String)


def _with_item_ids(places: pl.DataFrame, items: pl.DataFrame, draw: Token) -> pl.DataFrame:
    """Places with `item_id`: the one they have, else a new one."""
    known = items.select("item_id", owner_record_id="owner_record_id", role="role_on_line")
    found = places.join(known, on=PLACE, how="left", maintain_order="left")
    new = _drawn(found.height, draw)
    return found.with_columns(item_id=pl.coalesce("item_id", new))


def _parcels(asked: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """`citizen_id` and `parcels`, in the order of the lines."""
    rows = asked.drop("role").join(shown.drop("owner_record_id"), on="item_id", how="left")
    parcel = pl.struct(*[pl.col(name.name) for name in PARCEL.fields]).alias("parcels")
    return rows.sort("citizen_id", "owner_record_id", "item_id").group_by("citizen_id", maintain_order=True).agg(parcel)


def _with_question_ids(questions: pl.DataFrame, earlier: pl.DataFrame, draw: Token) -> pl.DataFrame:
    """The id of the earlier question that says the same, else a new one."""
    said = {row["citizen_id"]: row for row in earlier.iter_rows(named=True)}
    same = ("parcels", "expires_in", "priority")
    ids = [
        old["question_id"]
        if (old := said.get(row["citizen_id"])) is not None and all(row[name] == old[name] for name in same)
        else draw()
        for row in questions.iter_rows(named=True)
    ]
    return questions.with_columns(question_id=pl.Series(ids, dtype=pl.String))


def _time_to_answer(asked: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    """`citizen_id`, `expires_in`: the k-th of n candidates has k / n of the time, so that silence releases a place."""
    share = pl.col("rank") / pl.col("rank").max().over("item_id")
    seconds = (share * plan.expires_in_seconds).ceil().cast(pl.Int64).clip(60, plan.expires_in_seconds)
    return asked.with_columns(expires_in=seconds).group_by("citizen_id").agg(pl.col("expires_in").min())


def _all_so_far(new: pl.DataFrame, old: pl.DataFrame, key: str) -> pl.DataFrame:
    """The new rows, and the old ones of other keys before them."""
    return pl.concat([old.join(new, on=key, how="anti", maintain_order="left"), new])


def make(tables: Tables, earlier: Earlier, plan: Plan, *, today: date, draw: Token = token) -> Asked:
    """The questions of this round."""
    found = askable(
        tables.links, tables.candidates, tables.citizens, earlier.denied, today=today, least_chance=plan.least_chance
    )
    places = _with_item_ids(_of_places(found.pairs, tables), earlier.items, draw)
    known = places.select(*PLACE, "item_id", "serial", "hand")
    pairs = with_gain(found.pairs.join(known, on=PLACE, maintain_order="left"), plan.expected)
    fitting = cut_to(pairs, plan.most_items)
    chosen = choose(by_citizen(fitting), plan)
    lot = chosen.select("citizen_id", "chosen_by", "sampling_weight")
    asked = fitting.join(lot, on="citizen_id", maintain_order="left")
    told = facts.nothing_more(places) if tables.lines is None else facts.of_lines(_lines_of(places, tables), today)
    shown = facts.facts(places, tables.mentions, told)
    questions = chosen.join(_parcels(asked, shown), on="citizen_id", maintain_order="left")
    questions = questions.join(_time_to_answer(asked, plan), on="citizen_id", maintain_order="left")
    questions = QUESTIONS.check(_with_question_ids(questions, earlier.questions, draw))
    named = questions.select("citizen_id", "question_id")
    asked = ASKED.check(asked.join(named, on="citizen_id", maintain_order="left"))
    mentioned = places.rename({"role": "role_on_line"}).join(asked, on="item_id", how="semi", maintain_order="left")
    items = ITEMS.check(mentioned)
    counts = {
        "questions": questions.height,
        "questions_random": questions.filter(chosen_by="random").height,
        "asked_items": items.height,
        "asked_persons": items["person_id"].n_unique(),
        "askable_questions": fitting["citizen_id"].n_unique(),
    }
    over = {"next_round": pairs.height - fitting.height, "over_budget": fitting.height - asked.height}
    return Asked(
        questions,
        _all_so_far(items, earlier.items, "item_id"),
        _all_so_far(asked, earlier.asked, "question_id"),
        counts,
        {**found.left_out, **over},
    )


def _lines_of(places: pl.DataFrame, tables: Tables) -> pl.DataFrame:
    assert tables.lines is not None  # asked for by `make` only then
    return tables.lines.join(places.select("owner_record_id").unique(), on="owner_record_id", how="semi")
