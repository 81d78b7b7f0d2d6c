"""Gather: mentions → persons, each merge with its reason.

Rules
- Mentions that share a key (`linkage.owners.keys`) are one person; sharing is transitive.
- A person that would hold the numbers of two citizens loses its likeness joins and keeps the proofs; what still holds
  two different numbers of one kind carries a mark in `conflict`.
- `person_id` is a hash of the first (`owner_record_id`, `role`) of the person, so it stays from run to run.
- The values of a person are the most frequent ones of its mentions; a name with accents stands above one without.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from linkage.engines.duckdb import Connection, fetch, load
from linkage.owners.keys import KEYS, edges, prepare
from linkage.schemas import MEMBERS, PERSONS


@dataclass(frozen=True)
class Gathered:
    """Persons (`PERSONS`) and which mention belongs to which (`MEMBERS`)."""

    persons: pl.DataFrame
    members: pl.DataFrame


def _components(size: int, joins: pl.DataFrame) -> npt.NDArray[np.int32]:
    """The component number of each mention from 0 to `size` - 1."""
    rows, columns = joins["mention"].to_numpy(), joins["root"].to_numpy()
    graph = coo_matrix((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int32)


def _joined(con: Connection, max_others: float) -> pl.DataFrame:
    con.execute("create or replace temp table joins (mention integer, root integer, key tinyint)")
    for number, key in enumerate(KEYS):
        edges(con, key, number, max_others=max_others)
    return fetch(con, "select * from joins order by key, mention")


def _clashing(component: npt.NDArray[np.int32], citizen: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Which components hold the numbers of two citizens."""
    held = pl.DataFrame({"component": component[citizen["mention"].to_numpy()], "citizen": citizen["citizen"]})
    twice = held.group_by("component").agg(pl.col("citizen").n_unique()).filter(pl.col("citizen") > 1)
    found = np.zeros(int(component.max(initial=0)) + 1, dtype=np.bool_)
    found[twice["component"].to_numpy()] = True
    return found


def _settle(size: int, joins: pl.DataFrame, citizen: pl.DataFrame) -> tuple[npt.NDArray[np.int32], pl.DataFrame]:
    """Components after the likeness joins of clashing ones are taken back, and the joins that remain."""
    component = _components(size, joins)
    clash = _clashing(component, citizen)
    likeness = [number for number, key in enumerate(KEYS) if not key.is_proof]
    taken_back = joins["key"].is_in(likeness) & pl.Series(clash[component[joins["mention"].to_numpy()]])
    kept = joins.filter(~taken_back)
    return _components(size, kept), kept


def _members(component: npt.NDArray[np.int32], joins: pl.DataFrame) -> pl.DataFrame:
    reasons = [key.reason for key in KEYS]
    # The first mention of a group is joined by the key of its strongest partner.
    both = pl.concat([joins.select("mention", "key"), joins.select(mention="root", key="key")])
    strongest = both.group_by("mention").agg(pl.col("key").min())
    named = strongest.with_columns(
        reason=pl.col("key").replace_strict(list(range(len(reasons))), reasons, return_dtype=pl.String)
    )
    members = pl.DataFrame({"mention": np.arange(len(component), dtype=np.int32), "id": component})
    return members.join(named.select("mention", "reason"), on="mention", how="left", maintain_order="left").with_columns(
        pl.col("reason").fill_null("alone")
    )


_TEXT_FIELDS = ("sex", "id12", "id9", "commune", "parcel_commune", "province", "hamlet", "spouse_folded")


def _most_frequent(column: str, *, first: str = "''") -> str:
    """SQL: `id` and the most frequent value of `column`; `first` ranks above frequency, ties go to the last in order."""
    return f"""
        select id, substr(max({first} || lpad(n::varchar, 7, '0') || {column}), {8 + (first != "''")}) as {column}
        from (select id, {column}, any_value(accented) as accented, count(*) as n
              from owned where {column} is not null group by id, {column}) group by id"""


def _persons_sql() -> str:
    fields = {column: _most_frequent(column) for column in _TEXT_FIELDS}
    # A name with accents says more than one without, however often the latter is written.
    fields["name_key"] = _most_frequent("name_key", first="accented::int::varchar")
    tables = ", ".join(f"of_{column} as ({sql})" for column, sql in fields.items())
    joins = " ".join(f"left join of_{column} using (id)" for column in fields)
    columns = ", ".join(f"of_{column}.{column}" for column in _TEXT_FIELDS)
    return f"""
        with {tables},
        grouped as (
            select id, count(*)::integer as mentions, min(first_key) as first_key, any_value(kind) as kind,
                   bool_or(deceased) as deceased, count(distinct id12) as id12s, count(distinct id9) as id9s
            from owned group by id),
        years as (
            select id, max(n * 10000 + birth_year) % 10000 as birth_year
            from (select id, birth_year, count(*) as n from owned where birth_year is not null group by id, birth_year)
            group by id),
        days as (
            select id, birth_year, max(n * 10000 + day) % 10000 as day
            from (select id, birth_year::bigint as birth_year, birth_month::integer * 100 + birth_day as day,
                         count(*) as n
                  from owned where birth_day is not null group by all) group by id, birth_year),
        names as (
            select name_key, min(name) as name, min(name_folded) as name_folded, min(name_sound) as name_sound,
                   min(surname) as surname, min(given) as given, bool_or(accented) as accented
            from owned where name_key is not null group by name_key),
        spouses as (
            select spouse_folded, min(spouse_sound) as spouse_sound, min(spouse_given) as spouse_given
            from owned where spouse_folded is not null group by spouse_folded)
        select g.id::integer as id, 'P' || substr(md5(g.first_key), 1, 16) as person_id, g.kind, g.mentions, n.name,
               of_name_key.name_key, n.name_folded, n.name_sound, n.surname, n.given, n.accented, {columns},
               y.birth_year::smallint as birth_year, (d.day // 100)::tinyint as birth_month,
               (d.day % 100)::tinyint as birth_day, s.spouse_sound, s.spouse_given, g.deceased,
               case when id12s > 1 and id9s > 1 then 'id12+id9' when id12s > 1 then 'id12' when id9s > 1 then 'id9' end
               as conflict
        from grouped as g {joins} left join years as y using (id)
        left join days as d on d.id = g.id and d.birth_year = y.birth_year
        left join names as n on n.name_key = of_name_key.name_key
        left join spouses as s on s.spouse_folded = of_spouse_folded.spouse_folded order by g.id"""


_OWNED = (
    "kind", "name", "name_key", "name_folded", "name_sound", "surname", "given", "accented", "birth_year",
    "birth_month", "birth_day", "deceased", "spouse_sound", "spouse_given", *_TEXT_FIELDS,
)  # fmt: skip


def gather(con: Connection, lines: str = "owner_ids", *, max_others: float = 0.01) -> Gathered:
    """Persons from the tables `mentions` and `citizens` of `con`; `lines` holds `line`, `owner_record_id`."""
    prepare(con)
    citizen = fetch(con, "select mention, citizen from gathering where citizen is not null")
    sizes = con.execute("select count(*) from mentions").fetchone()
    assert sizes is not None  # a count always gives one row
    joins = _joined(con, max_others)
    component, kept = _settle(int(sizes[0]), joins, citizen)
    members = _members(component, kept)
    load(con, "members", members)
    con.execute("drop table gathering")
    con.execute("drop table joins")
    kept_columns = ", ".join(f"m.{column}" for column in _OWNED)
    con.execute(f"""
        create or replace temp table owned as
        select b.id, {kept_columns}, l.owner_record_id || '|' || m.role as first_key
        from mentions as m join {lines} as l using (line) join members as b using (mention)""")
    persons = fetch(con, _persons_sql())
    con.execute("drop table owned")
    return Gathered(PERSONS.check(persons), MEMBERS.check(members))
