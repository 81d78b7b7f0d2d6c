"""Gather: mentions → persons, each merge with its reason.

Rules
- Mentions that share a key (`linkage.owners.keys`) are one person; sharing is transitive.
- Where joins would put two identities (12-digit numbers more than a slip apart) into one person, the strongest joins
  stand and those that would bring the two together fall. A person that still holds two different numbers of one kind
  (a slip, a relative's number, several 9-digit ones) carries a mark in `conflict`.
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
    con.execute("drop table namesakes")
    return fetch(
        con, "select mention, root, min(key) as key from joins group by mention, root order by key, mention, root"
    )


def _clashing(component: npt.NDArray[np.int32], identity: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Which components hold two identities."""
    held = pl.DataFrame({"component": component[identity["mention"].to_numpy()], "identity": identity["identity"]})
    twice = held.group_by("component").agg(pl.col("identity").n_unique()).filter(pl.col("identity") > 1)
    found = np.zeros(int(component.max(initial=0)) + 1, dtype=np.bool_)
    found[twice["component"].to_numpy()] = True
    return found


def nearly_equal(left: str, right: str) -> bool:
    """Two numbers one slip apart: a digit wrong, or two neighbours swapped.

    >>> nearly_equal("045060000001", "045060000010"), nearly_equal("045060000001", "045061000011")
    (True, False)
    """
    apart = [place for place, (a, b) in enumerate(zip(left, right, strict=True)) if a != b]
    if len(apart) < 2:
        return True
    first, last = apart[0], apart[-1]
    swapped = left[first] == right[last] and left[last] == right[first]
    return len(apart) == 2 and last - first == 1 and swapped


def _joins_that_agree(joins: pl.DataFrame, identity: dict[int, str]) -> list[bool]:
    """Which joins of clashing components may stand: the strongest first, none between two identities."""
    root: dict[int, int] = {}
    known = dict(identity)

    def find(mention: int) -> int:
        while (parent := root.get(mention, mention)) != mention:
            root[mention] = mention = root.get(parent, parent)
        return mention

    allowed = []
    for mention, other in joins.select("mention", "root").iter_rows():
        a, b = find(mention), find(other)
        mine, theirs = known.get(a), known.get(b)
        fits = mine is None or theirs is None or nearly_equal(mine, theirs)
        allowed.append(fits)
        if fits and a != b:
            root[a] = b
            if theirs is None and mine is not None:
                known[b] = mine
    return allowed


def _settle(size: int, joins: pl.DataFrame, identity: pl.DataFrame) -> tuple[npt.NDArray[np.int32], pl.DataFrame]:
    """Components without those joins that would put two identities into one, and the joins that remain."""
    component = _components(size, joins)
    clash = pl.Series(_clashing(component, identity)[component[joins["mention"].to_numpy()]])
    doubtful = joins.filter(clash)
    involved = pl.concat([doubtful["mention"], doubtful["root"].alias("mention")]).unique()
    known = identity.filter(pl.col("mention").is_in(involved.implode()))
    allowed = _joins_that_agree(doubtful, dict(known.select("mention", "identity").iter_rows()))
    kept = pl.concat([joins.filter(~clash), doubtful.filter(pl.Series(allowed, dtype=pl.Boolean))])
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
    return members.join(
        named.select("mention", "reason"), on="mention", how="left", maintain_order="left"
    ).with_columns(pl.col("reason").fill_null("alone"))


_TEXT_FIELDS = ("sex", "id12", "id9", "commune", "parcel_commune", "hamlet", "spouse_folded")


def _extremes() -> str:
    """SQL: the least and greatest value of each field; where they are equal, nothing needs counting."""
    fields = ("name_key", *_TEXT_FIELDS)
    pairs = ", ".join(f"min({field}) as least_{field}, max({field}) as most_{field}" for field in fields)
    return f"""
        create or replace temp table extremes as
        select id, count(*)::integer as mentions, min(first_key) as first_key, min(kind) as kind,
               min(province) as province, bool_or(deceased) as deceased,
               min(birth_year) as least_year, max(birth_year) as most_year, {pairs} from owned group by id"""


def _most_frequent(column: str, *, first: str = "''") -> str:
    """SQL: `id` and the most frequent of several values; `first` ranks above frequency, ties go to the last."""
    return f"""
        select id, substr(max({first} || lpad(n::varchar, 7, '0') || {column}), {8 + (first != "''")}) as {column}
        from (select id, {column}, bool_or(accented) as accented, count(*) as n
              from owned semi join (select id from extremes where least_{column} <> most_{column}) using (id)
              where {column} is not null group by id, {column}) group by id"""


def _persons_sql() -> str:
    fields = {column: _most_frequent(column) for column in _TEXT_FIELDS}
    # A name with accents says more than one without, however often the latter is written.
    fields["name_key"] = _most_frequent("name_key", first="accented::int::varchar")
    tables = ", ".join(f"of_{column} as ({sql})" for column, sql in fields.items())
    joins = " ".join(f"left join of_{column} using (id)" for column in fields)
    chosen = ", ".join(f"coalesce(of_{column}.{column}, least_{column}) as {column}" for column in fields)
    columns = ", ".join(f"g.{column}" for column in _TEXT_FIELDS)
    return f"""
        with {tables},
        of_year as (
            select id, max(n * 10000 + birth_year) % 10000 as birth_year
            from (select id, birth_year, count(*) as n
                  from owned semi join (select id from extremes where least_year <> most_year) using (id)
                  where birth_year is not null group by id, birth_year)
            group by id),
        grouped as (
            select e.id, e.mentions, e.first_key, e.kind, e.province, e.deceased, {chosen},
                   coalesce(of_year.birth_year, least_year) as birth_year,
                   least_id12 <> most_id12 as several_id12, least_id9 <> most_id9 as several_id9
            from extremes as e {joins} left join of_year using (id)),
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
               g.name_key, n.name_folded, n.name_sound, n.surname, n.given, n.accented, g.province, {columns},
               g.birth_year::smallint as birth_year, (d.day // 100)::tinyint as birth_month,
               (d.day % 100)::tinyint as birth_day, s.spouse_sound, s.spouse_given, g.deceased,
               case when several_id12 and several_id9 then 'id12+id9' when several_id12 then 'id12'
                    when several_id9 then 'id9' end as conflict
        from grouped as g left join days as d on d.id = g.id and d.birth_year = g.birth_year
        left join names as n on n.name_key = g.name_key
        left join spouses as s on s.spouse_folded = g.spouse_folded order by g.id"""


_OWNED = (
    "kind", "name", "name_key", "name_folded", "name_sound", "surname", "given", "accented", "birth_year",
    "birth_month", "birth_day", "province", "deceased", "spouse_sound", "spouse_given", *_TEXT_FIELDS,
)  # fmt: skip


def gather(con: Connection, lines: str = "owner_ids", *, max_others: float = 0.01) -> Gathered:
    """Persons from the tables `mentions` and `citizens` of `con`; `lines` holds `line`, `owner_record_id`."""
    prepare(con)
    identity = fetch(con, "select mention, identity from gathering where identity is not null")
    sizes = con.execute("select count(*) from mentions").fetchone()
    assert sizes is not None  # a count always gives one row
    joins = _joined(con, max_others)
    component, kept = _settle(int(sizes[0]), joins, identity)
    members = _members(component, kept)
    load(con, "members", members)
    con.execute("drop table gathering")
    con.execute("drop table joins")
    kept_columns = ", ".join(f"m.{column}" for column in _OWNED)
    con.execute(f"""
        create or replace temp table owned as
        select b.id, {kept_columns}, l.owner_record_id || '|' || m.role as first_key
        from mentions as m join {lines} as l using (line) join members as b using (mention)""")
    con.execute(_extremes())
    persons = fetch(con, _persons_sql())
    con.execute("drop table owned")
    con.execute("drop table extremes")
    return Gathered(PERSONS.check(persons), MEMBERS.check(members))
