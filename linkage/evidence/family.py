"""Family: owners named together are often one household, or brothers, sisters, parents and heirs.

Rules
- *Beside* are the persons named on one line, or on one certificate of one parcel. Couples are told apart from others.
- `household`: the citizen lives in the household of the husband or wife whose own citizen is already sure.
- `parents`: the citizen's father or mother stands beside, or has the same parents as the person beside, or is the
  father or mother of that person.
- m is counted on pairs that are sure without this evidence, u on other candidates of the same persons, both where the
  names agree: so they describe namesakes as they are met, not random pairs and not brothers under other names.
- Evidence moves weights, never walls: a missing or other family lowers a weight and forbids nothing.

Example: heirs of the late Phạm Văn Tam are written as three bare names. Of thirty women called Phạm Thị Nga, one has
the father Phạm Văn Tam: she gains about thirteen bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2
from typing import Any

from linkage.engines.duckdb import Connection

HOUSEHOLD = ("another household", "same household")
PARENTS = ("no kinship seen", "one parent the same", "same parents", "parent or child beside")
SENTENCES = {
    "household": "Household: the citizen lives with the husband or wife who is already known.",
    "parents": "Kinship: the persons named beside are parents, children, brothers or sisters by the register.",
}
SENTENCES_VI = {
    "household": "Hộ: công dân ở cùng hộ với vợ hoặc chồng đã xác định.",
    "parents": "Quan hệ: người đứng tên cùng là cha mẹ, con hoặc anh chị em theo CSDL dân cư.",
}

_SURE = 0.99
_CERTAIN = 0.999
_MOST_ON_ONE_CERTIFICATE = 12
_SMOOTHING = 20.0
_M_PRIOR = {"household": (0.1, 0.9), "parents": (0.4, 0.05, 0.35, 0.2)}


_LABELS = {"household": HOUSEHOLD, "parents": PARENTS}


@dataclass(frozen=True)
class Evidence:
    """m and u of the levels of `household` and `parents`, weakest level first."""

    m: Mapping[str, tuple[float, ...]]
    u: Mapping[str, tuple[float, ...]]

    def bits(self, name: str) -> list[float]:
        """The weight of each level: log2(m / u)."""
        return [log2(m / u) for m, u in zip(self.m[name], self.u[name], strict=True)]


def written(evidence: Evidence) -> list[dict[str, Any]]:
    """The evidence in the shape of Splink's comparisons, for the model file and the report."""
    return [
        {
            "output_column_name": name,
            "comparison_description": SENTENCES[name],
            "comparison_levels": [
                {"label_for_charts": "not known", "sql_condition": "beside is null", "is_null_level": True},
                *(
                    {"label_for_charts": label, "sql_condition": "beside", "m_probability": m, "u_probability": u}
                    for label, m, u in reversed(list(zip(labels, evidence.m[name], evidence.u[name], strict=True)))
                ),
            ],
        }
        for name, labels in _LABELS.items()
    ]


def read(parts: Sequence[Mapping[str, Any]]) -> Evidence:
    """The evidence that `written` wrote."""
    levels = {part["output_column_name"]: part["comparison_levels"][:0:-1] for part in parts}
    m = {name: tuple(float(level["m_probability"]) for level in found) for name, found in levels.items()}
    u = {name: tuple(float(level["u_probability"]) for level in found) for name, found in levels.items()}
    return Evidence(m, u)


def beside(con: Connection) -> None:
    """Table `beside` (r, s, couple): person s stands beside person r."""
    con.execute(f"""
        create or replace temp table named as
        select m.line, m.serial, m.parcel_code, m.name_folded, m.spouse_folded, b.id
        from mentions as m join members as b using (mention) where m.kind = 'person' and m.name_folded is not null;
        create or replace temp table together as
        select serial, parcel_code from named where serial is not null and parcel_code is not null
        group by all having count(distinct id) between 2 and {_MOST_ON_ONE_CERTIFICATE};
        create or replace temp table beside as
        select r, s, bool_or(couple) as couple from (
            select a.id as r, b.id as s, coalesce(a.spouse_folded = b.name_folded, false) as couple
            from named as a join named as b using (line) where a.id <> b.id
            union all
            select a.id, b.id, coalesce(a.spouse_folded = b.name_folded, false)
            from together join named as a using (serial, parcel_code) join named as b using (serial, parcel_code)
            where a.id <> b.id)
        group by r, s""")


def _facts(con: Connection) -> None:
    """Table `facts`: for each person what the persons beside tell, from those whose citizen is already sure."""
    con.execute(f"""
        create or replace temp table facts as
        with sure as (
            select c.r as s, z.kin, q.father_folded, q.mother_folded
            from candidates as c join citizens as z on z.id = c.l left join parents as q on q.id = c.l
            where c.rank = 1 and c.match_probability >= {_SURE})
        select b.r, b.couple, p.name_folded, sure.kin, sure.father_folded, sure.mother_folded
        from beside as b join persons as p on p.id = b.s left join sure on sure.s = b.s""")


def kin_pairs(con: Connection) -> int:
    """Table `kin_pairs` (l, r, match_key): candidates that only the family leads to; returns how many."""
    con.execute(f"""
        create or replace temp table open as
        select f.r, f.kin, hash(f.name_folded) as beside, hash(f.father_folded) as father,
               hash(f.mother_folded) as mother, hash(p.given) as given, hash(p.name_folded) as own_name,
               f.father_folded is not null and f.mother_folded is not null as parents_known
        from facts as f join person_features as p on p.id = f.r
        where not exists (
            select 1 from candidates as c where c.r = f.r and c.rank = 1 and c.match_probability >= {_CERTAIN});
        create or replace temp table children as
        select z.id, z.kin, hash(z.given) as given, hash(z.name_folded) as own_name,
               case when q.father_folded is not null then hash(q.father_folded) end as father,
               case when q.mother_folded is not null then hash(q.mother_folded) end as mother
        from citizens as z left join parents as q using (id) where z.name_folded is not null;
        create or replace table kin_pairs as
        select l, r, 127::tinyint as match_key from (
            select z.id as l, o.r from open as o join children as z on z.kin = o.kin and z.given = o.given
            union
            select z.id, o.r from open as o
            join children as z on z.father = o.father and z.mother = o.mother and z.given = o.given where parents_known
            union
            select z.id, o.r from open as o join children as z on z.father = o.beside and z.own_name = o.own_name
            union
            select z.id, o.r from open as o join children as z on z.mother = o.beside and z.own_name = o.own_name)
        anti join weights using (l, r);
        drop table open; drop table children""")
    row = con.execute("select count(*) from kin_pairs").fetchone()
    return int(row[0]) if row else 0


def _compare(con: Connection, least_bits: float) -> None:
    """Table `family` (l, r, gamma_household, gamma_parents) for the pairs that could still matter."""
    con.execute(f"""
        create or replace temp table family as
        select w.l, w.r,
            max(case when not f.couple or f.kin is null or z.kin is null then -1
                     when f.kin = z.kin then 1 else 0 end)::tinyint as gamma_household,
            max(case when f.couple then -1
                     when q.father_folded = f.name_folded or q.mother_folded = f.name_folded
                       or (z.name_folded = f.father_folded and z.spouse_folded = f.mother_folded)
                       or (z.name_folded = f.mother_folded and z.spouse_folded = f.father_folded) then 3
                     when q.father_folded = f.father_folded and q.mother_folded = f.mother_folded then 2
                     when q.father_folded = f.father_folded or q.mother_folded = f.mother_folded then 1
                     when coalesce(f.father_folded, f.mother_folded) is null
                       or coalesce(q.father_folded, q.mother_folded) is null then -1
                     else 0 end)::tinyint as gamma_parents
        from weights as w join facts as f on f.r = w.r join citizens as z on z.id = w.l
        left join parents as q on q.id = w.l
        where w.evidence_bits >= {least_bits!r}
        group by w.l, w.r""")


def _shares(con: Connection, name: str, condition: str, levels: int) -> list[float]:
    found = dict(
        con.execute(
            f"select gamma_{name}, count(*) from verdicts where is_namesake and "
            f"gamma_{name} >= 0 and {condition} group by 1"
        ).fetchall()
    )
    return [float(found.get(level, 0)) for level in range(levels)]


def estimate(con: Connection) -> Evidence:
    """M and u counted on this run's sure pairs and their rivals."""
    con.execute(f"""
        create or replace temp table verdicts as
        with certain as (select l, r from candidates where rank = 1 and match_probability >= {_CERTAIN})
        select f.gamma_household, f.gamma_parents, f.l = c.l as is_match, a.name_key = b.name_key as is_namesake
        from family as f join certain as c using (r)
        join citizens as a on a.id = f.l join persons as b on b.id = f.r""")
    m, u = {}, {}
    for name, prior in _M_PRIOR.items():
        matched = _shares(con, name, "is_match", len(prior))
        rivals = _shares(con, name, "not is_match", len(prior))
        total = sum(matched) + _SMOOTHING
        m[name] = tuple((n + _SMOOTHING * p) / total for n, p in zip(matched, prior, strict=True))
        u[name] = tuple((n + 0.5) / (sum(rivals) + 0.5 * len(prior)) for n in rivals)
    return Evidence(m, u)


def _case(name: str, bits: list[float]) -> str:
    cases = " ".join(f"when {level} then {value!r}" for level, value in enumerate(bits))
    return f"(case gamma_{name} {cases} else 0.0 end)::double"


def compare(con: Connection, citizens: int) -> None:
    """Compare families for all pairs of `weights` that are not hopeless (more than 20 bits below even odds)."""
    _compare(con, log2(max(citizens, 2)) - 20.0)


def learn_facts(con: Connection) -> None:
    """Gather what the persons beside tell; needs `candidates` of a first scoring."""
    beside(con)
    _facts(con)


def apply(con: Connection, evidence: Evidence) -> None:
    """Add the gammas of the family to `weights`, and their weights to `evidence_bits`."""
    con.execute(f"""
        create or replace table weighed as
        select * exclude (evidence_bits), evidence_bits + {" + ".join(_cases(evidence))} as evidence_bits
        from (select w.* exclude (evidence_bits), coalesce(gamma_household, -1)::tinyint as gamma_household,
                     coalesce(gamma_parents, -1)::tinyint as gamma_parents, evidence_bits
              from weights as w left join family using (l, r))""")
    con.execute("drop table weights")
    con.execute("drop table family")
    con.execute("alter table weighed rename to weights")


def _cases(evidence: Evidence) -> list[str]:
    return [_case(name, evidence.bits(name)) for name in _M_PRIOR]


def weight_columns_sql(evidence: Evidence) -> list[str]:
    """`mw_household` and `mw_parents` from their gammas, in bits."""
    return [f"{sql} as mw_{name}" for name, sql in zip(_M_PRIOR, _cases(evidence), strict=True)]
