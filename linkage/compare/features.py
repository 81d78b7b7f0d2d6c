"""Features: citizens and persons as two tables with the same columns, the only thing that comparisons see.

Rules
- `_l` is `citizen_features`, `_r` is `person_features`; both carry a dense integer `id`.
- Pieces of numbers (`id12_head`, …) exist for blocking only: one wrong digit leaves at least one piece intact.
- `…_kin` is the household of the citizen who holds the person's number: so the number of a wife or of the head of
  the household is recognised as such.
- Term frequencies are shares among citizens only; a register with many lines an owner would skew them.
"""

from __future__ import annotations

from linkage.engines.duckdb import Connection

_SHARED = (
    "name_folded", "name_key", "accented", "name_sound", "given", "surname", "sex", "birth_year", "birth_month",
    "birth_day", "id12", "id9", "commune", "province", "hamlet", "spouse_folded", "spouse_sound", "spouse_given",
)  # fmt: skip

_PIECES = {
    "id12_head": "substr(id12, 1, 9)",
    "id12_tail": "substr(id12, 7, 6)",
    "id12_ends": "substr(id12, 1, 6) || substr(id12, 10, 3)",
    "id9_head": "substr(id9, 1, 6)",
    "id9_tail": "substr(id9, 5, 5)",
    "id9_ends": "substr(id9, 1, 3) || substr(id9, 7, 3)",
    "name_words": "string_split(name_folded, ' ')",
    "spouse_words": "string_split(spouse_folded, ' ')",
}


def _frequencies(con: Connection, column: str) -> None:
    con.execute(f"""
        create or replace temp table frequency_of_{column} as
        select {column}, count(*)::double / sum(count(*)) over () as tf_{column}
        from citizens where {column} is not null group by {column}""")


def _select(source: str, own: str) -> str:
    shared = ", ".join(f"s.{column}" for column in _SHARED)
    pieces = ", ".join(f"{sql} as {name}" for name, sql in _PIECES.items())
    return f"""
        select s.id, {shared}, {pieces}, {own}, fn.tf_name_folded, fs.tf_spouse_folded
        from {source} as s left join frequency_of_name_folded as fn using (name_folded)
        left join frequency_of_spouse_folded as fs using (spouse_folded)"""


def features(con: Connection) -> None:
    """`citizen_features` and `person_features` from the tables `citizens` and `persons`."""
    _frequencies(con, "name_folded")
    _frequencies(con, "spouse_folded")
    nothing = "null::varchar as parcel_commune, null::integer as id12_kin, null::integer as id9_kin"
    con.execute(f"create or replace table citizen_features as {_select('citizens', 's.kin, ' + nothing)}")
    con.execute("""
        create or replace temp view named_persons as
        select p.*, a.kin as id12_kin, b.kin as id9_kin from persons as p
        left join citizens as a on p.id12 = a.id12
        left join (select id9, min(kin) as kin from citizens where id9 is not null group by id9) as b on p.id9 = b.id9
        where p.name_folded is not null and p.kind = 'person'""")
    own = "null::integer as kin, s.parcel_commune, s.id12_kin, s.id9_kin"
    con.execute(f"create or replace table person_features as {_select('named_persons', own)}")
