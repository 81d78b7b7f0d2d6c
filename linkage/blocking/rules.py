"""Blocking: which pairs are worth comparing at all.

Rules
- A rule is a list of columns that must be equal on both sides; null never equals anything.
- A key whose block would exceed `max_block_pairs` is left out of that rule and counted as overflow, never silently.
- What the first rules settle (one number, one name, one year) need not meet later rules: no rival could outweigh it.
- A pair that several rules find stands once, under the first rule that found it (`match_key`).
- A column that holds a list (`lists`) counts as equal where the two lists share a value.
- With `dedupe`, one table is paired with itself: each pair once, the smaller id as `l`.
- The report says for each rule: pairs, pairs that no earlier rule found, largest block, overflow.

>>> BlockingRule(("words", "year"), lists=("words",)).sql()
'list_has_any(l.words, r.words) and l.year = r.year'
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from linkage.engines.duckdb import Connection


@dataclass(frozen=True)
class BlockingRule:
    """Columns that must agree for a pair to become a candidate."""

    equal: tuple[str, ...]
    max_block_pairs: int = 100_000
    lists: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The rule in words, for reports."""
        return " + ".join(self.equal)

    def sql(self) -> str:
        """The rule as a condition over `l` and `r`, as Splink writes it."""
        return " and ".join(
            f"list_has_any(l.{column}, r.{column})" if column in self.lists else f"l.{column} = r.{column}"
            for column in self.equal
        )

    def exploded(self, table: str) -> str:
        """`table` with one row a value of each list of the rule: there, sharing a value is plain equality."""
        for column in self.lists:
            table = f"(select * replace (unnest({column}) as {column}) from {table})"
        return table


@dataclass(frozen=True)
class RuleReport:
    """What one rule did; pairs and blocks are counts of candidate pairs."""

    rule: str
    pairs: int
    new_pairs: int
    largest_block: int
    overflow_blocks: int
    overflow_pairs: int


@dataclass(frozen=True)
class BlockingReport:
    """All rules, and the share of all possible pairs that was never looked at."""

    rules: tuple[RuleReport, ...]
    pairs: int
    reduction_ratio: float

    def rows(self) -> list[dict[str, object]]:
        """One row a rule, for `run.json`."""
        return [asdict(rule) for rule in self.rules]


def pair_counts_sql(equal: Sequence[str], left: str, right: str, *, dedupe: bool = False) -> str:
    """One row a block of records that agree on `equal`: the columns and the number of its `pairs`."""
    keys = ", ".join(equal)
    present = " and ".join(f"{column} is not null" for column in equal)
    count = f"select {keys}, count(*) as n from {{}} where {present} group by {keys}"
    if dedupe:
        return f"select *, n * (n - 1) // 2 as pairs from ({count.format(left)})"
    return (
        f"select a.*, a.n * b.n as pairs from ({count.format(left)}) as a "
        f"join ({count.format(right)}) as b using ({keys})"
    )


def _apply(
    con: Connection, number: int, rule: BlockingRule, left: str, right: str, *, dedupe: bool
) -> tuple[int, int, int]:
    """Insert the rule's pairs into `_found`; returns largest block kept, overflow blocks, overflow pairs."""
    left, right = rule.exploded(left), rule.exploded(right)
    blocks = pair_counts_sql(rule.equal, left, right, dedupe=dedupe)
    con.execute(f"create or replace temp table _blocks as {blocks}")
    cap = rule.max_block_pairs
    row = con.execute(
        f"select coalesce(max(pairs) filter (pairs <= {cap}), 0), count(*) filter (pairs > {cap}), "
        f"coalesce(sum(pairs) filter (pairs > {cap}), 0) from _blocks"
    ).fetchone()
    assert row is not None  # an aggregate always gives one row
    excluded = " and l.id < r.id" if dedupe else ""
    if row[1]:
        same = " and ".join(f"b.{column} = l.{column}" for column in rule.equal)
        excluded += f" and not exists (select 1 from _blocks as b where b.pairs > {cap} and {same})"
    same_keys = " and ".join(f"l.{column} = r.{column}" for column in rule.equal)
    once = "distinct" if rule.lists else ""  # two lists may share several values
    con.execute(
        f"insert into _found select {once} l.id, r.id, {number}::tinyint from {left} as l "
        f"join {right} as r on {same_keys} where true{excluded}"
    )
    return int(row[0]), int(row[1]), int(row[2])


def _all_pairs(con: Connection, left: str, right: str, *, dedupe: bool) -> float:
    sizes = con.execute(f"select (select count(*) from {left})::double, (select count(*) from {right})").fetchone()
    assert sizes is not None  # a scalar query always gives one row
    rows, others = float(sizes[0]), float(sizes[1])
    return max(rows * (rows - 1.0) / 2.0 if dedupe else rows * others, 1.0)


@dataclass(frozen=True)
class Settling:
    """Records that need no further rules: `when`, SQL over `l` and `r`, holds for a pair of the first `rules` rules.

    Of those settled `sample` records still meet all rules, so that what rivals look like can be learnt from them.
    """

    rules: int
    when: str
    sample: int = 50_000

    def leave_open(self, con: Connection, left: str, right: str) -> str:
        """A table of the records of `right` that are not settled, and of the sample."""
        con.execute(
            f"create or replace temp table _settled as select distinct f.r as id from _found as f "
            f"join {left} as l on l.id = f.l join {right} as r on r.id = f.r where {self.when}"
        )
        row = con.execute("select count(*) from _settled").fetchone()
        share = min(1.0, self.sample / max(row[0] if row else 0, 1))
        con.execute(
            f"create or replace temp table _open as select * from {right} as t where not exists ("
            f"select 1 from _settled as s where s.id = t.id and hash(s.id) % 1000000 >= {share * 1e6:.0f})"
        )
        con.execute("drop table _settled")
        return "_open"


def block(
    con: Connection,
    rules: Sequence[BlockingRule],
    *,
    left: str,
    right: str,
    pairs: str = "pairs",
    dedupe: bool = False,
    settling: Settling | None = None,
) -> BlockingReport:
    """Make the table `pairs` (`l`, `r`, `match_key`) of all candidate pairs between two tables with an `id`.

    With `dedupe`, `right` is the table `left` itself, or a part of it. With `settling`, later rules leave out records
    that the first ones settle.
    """
    con.execute("create or replace temp table _found (l integer, r integer, match_key tinyint)")
    applied, still_open = [], right
    for number, rule in enumerate(rules):
        if settling is not None and number == settling.rules:
            still_open = settling.leave_open(con, left, right)
        applied.append(_apply(con, number, rule, left, still_open, dedupe=dedupe))
    con.execute("drop table if exists _open")
    once = "select l, r, min(match_key) as match_key from _found group by l, r"
    con.execute(f"create or replace table {pairs} as {once}")
    found = dict(con.execute("select match_key, count(*) from _found group by 1").fetchall())
    fresh = dict(con.execute(f"select match_key, count(*) from {pairs} group by 1").fetchall())
    con.execute("drop table _found")
    con.execute("drop table if exists _blocks")
    reports = tuple(
        RuleReport(rule.name, found.get(i, 0), fresh.get(i, 0), *applied[i]) for i, rule in enumerate(rules)
    )
    total = sum(fresh.values())
    return BlockingReport(reports, total, 1.0 - total / _all_pairs(con, left, right, dedupe=dedupe))
