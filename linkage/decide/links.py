"""Links: one row for every person named on every used line, with the decision on its person.

Rules
- Every mention has exactly one row; lines of one person share its decision.
- Two persons that the machine links to one citizen with near certainty (`JOIN_AT`) are one owner: they take one
  `person_id` (reason `same_citizen`). One wrong line there would count against every line of the owner.
- The runner-up stands beside the best candidate, so that a reader sees how close it was.
"""

from __future__ import annotations

import polars as pl

from linkage.compare.comparisons import Comparison
from linkage.decide.decisions import Thresholds, decide
from linkage.engines.duckdb import Connection, fetch, load
from linkage.schemas import LINKS

JOIN_AT = 0.999
"""Probability from which a shared citizen joins persons."""


def _levels(comparison: Comparison) -> str:
    cases = " ".join(
        f"when {comparison.gamma(level)} then '{level.label.replace(chr(39), chr(39) * 2)}'"
        for level in comparison.levels
    )
    return f"case c.gamma_{comparison.name} {cases} end as level_{comparison.name}"


def decided_persons(con: Connection, comparisons: tuple[Comparison, ...], thresholds: Thresholds) -> pl.DataFrame:
    """One row a person: best candidate, runner-up, decision, reason; also as table `decided`."""
    levels = ", ".join(_levels(comparison) for comparison in comparisons)
    best = fetch(
        con,
        f"""select p.id, p.person_id, p.kind, p.name_folded, p.conflict, p.mentions, z.citizen_id, z.status,
                   c.match_weight, c.match_probability, z2.citizen_id as runner_up_citizen_id,
                   c2.match_probability as runner_up_probability, {levels}
            from persons as p
            left join (select * from candidates where rank = 1) as c on c.r = p.id
            left join citizens as z on z.id = c.l
            left join (select * from candidates where rank = 2) as c2 on c2.r = p.id
            left join citizens as z2 on z2.id = c2.l order by p.id""",
    )
    decided = decide(best, thresholds)
    load(con, "decided", decided)
    return decided


def one_owner_a_citizen(con: Connection) -> int:
    """Give persons linked to one citizen the `person_id` of the first of them; returns how many were joined."""
    con.execute(
        """create or replace table owners as
        select id, person_id, case when sure then min(person_id) over (partition by sure, citizen_id)
                                   else person_id end as owner_id
        from (select id, person_id, citizen_id, decision = 'link' and match_probability >= $at as sure from decided)""",
        {"at": JOIN_AT},
    )
    row = con.execute("select count(*) from owners where owner_id <> person_id").fetchone()
    return int(row[0]) if row else 0


def links(con: Connection) -> pl.DataFrame:
    """The `LINKS` table, in the order of lines and roles."""
    frame = fetch(
        con,
        """select l.owner_record_id, m.role, o.owner_id as person_id, d.citizen_id, d.match_weight, d.match_probability,
                  d.decision, d.reason, d.runner_up_citizen_id, d.runner_up_probability,
                  (p.id12 is not null or p.id9 is not null) as has_id, p.sex, p.birth_year,
                  coalesce(m.parcel_commune, m.commune) as commune_code
           from mentions as m join owner_ids as l using (line) join members as b using (mention)
           join decided as d on d.id = b.id join persons as p on p.id = b.id join owners as o on o.id = b.id
           order by m.mention""",
    )
    return LINKS.check(frame)
