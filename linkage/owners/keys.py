"""The keys that join mentions: what two lines must share to be one person.

Rules
- A key is a set of fields that agree. Mentions with an equal key are one person.
- *Proof* keys (numbers, one certificate, one parcel) hold by themselves.
- *Likeness* keys (name with birth, place or spouse) hold only where the register shows that hardly anybody else could
  carry them: `others`, the number of other persons expected to share the key, must not exceed `max_others`.
  The register counts namesakes itself; beyond it, `_UNSEEN` is the share of owners that it does not hold (dead before
  the register, abroad), and `_SLIP` the share of birth years written for a namesake's.
- A likeness key joins nobody where its mentions show two persons: the numbers of two citizens, years far apart, two
  spouses, two hamlets.
- No pair of mentions is ever enumerated: equal keys are groups, so the cost follows the number of lines.

Example: two lines `Nguyễn Văn Hùng, 1960, xã Gio Linh` join where the register holds at most one such man there and
few of that name in the commune; where it holds two, the hamlet or the wife's name must agree as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from linkage.engines.duckdb import Connection

_UNSEEN = 0.3
_SLIP = 0.02
_YEARS_APART = 3


@dataclass(frozen=True)
class Key:
    """Fields that agree, a stable reason, and for a likeness key the SQL of the expected number of others."""

    reason: str
    fields: tuple[str, ...]
    others: str | None = None
    counts: tuple[str, ...] = ()

    @property
    def is_proof(self) -> bool:
        """Holds by itself, whoever else there is."""
        return self.others is None


def _namesakes(count: str, wider: str) -> str:
    """Others expected: those the register shows, those it cannot, and those reached by a slip in the year."""
    among = f"greatest(coalesce({wider}, 0) - 1, 0)"
    return f"greatest(coalesce({count}, 0) - 1, 0) + {_UNSEEN} * {among} / 60 + {_SLIP} * {among} / 20"


KEYS: tuple[Key, ...] = (
    Key("same_citizen_number", ("citizen",)),
    Key("same_id12", ("id12", "name_sound")),
    Key("same_id9", ("id9", "name_sound")),
    Key("same_certificate", ("serial", "name_folded")),
    Key("same_parcel", ("parcel_code", "parcel_commune", "name_folded")),
    Key(
        "same_birth_date",
        ("name_folded", "birth_year", "birth_month", "birth_day"),
        f"greatest(coalesce(n_name_date, 0) - 1, 0) + {_UNSEEN} * coalesce(n_name_year, 0) / 365",
        ("name_date", "name_year"),
    ),
    Key(
        "same_spouse",
        ("name_folded", "spouse_folded"),
        "greatest(coalesce(n_couple, 0) - 1, 0)",
        ("couple",),
    ),
    Key(
        "same_spouse_and_commune",
        ("name_folded", "spouse_folded", "place"),
        "greatest(coalesce(n_couple_place, 0) - 1, 0)",
        ("couple_place",),
    ),
    Key(
        "same_spouse_and_year",
        ("name_folded", "spouse_folded", "birth_year"),
        "greatest(coalesce(n_couple_year, 0) - 1, 0)",
        ("couple_year",),
    ),
    Key(
        "same_year_and_commune",
        ("name_folded", "birth_year", "place"),
        _namesakes("n_name_year_place", "n_name_place"),
        ("name_year_place", "name_place"),
    ),
    Key(
        "same_year_and_hamlet",
        ("name_folded", "birth_year", "place", "hamlet"),
        _namesakes("n_name_year_hamlet", "n_name_hamlet"),
        ("name_year_hamlet", "name_hamlet"),
    ),
    Key(
        "same_hamlet",
        ("name_folded", "place", "hamlet"),
        f"greatest(coalesce(n_name_hamlet, 0) - 1, 0) + {_UNSEEN} * coalesce(n_name_place, 0) / 10",
        ("name_hamlet", "name_place"),
    ),
)

_COUNTS: dict[str, tuple[tuple[str, str], ...]] = {
    "name_date": (("name_folded",) * 2, ("birth_year",) * 2, ("birth_month",) * 2, ("birth_day",) * 2),
    "name_year": (("name_folded",) * 2, ("birth_year",) * 2),
    "couple": (("name_folded",) * 2, ("spouse_folded",) * 2),
    "couple_place": (("name_folded",) * 2, ("spouse_folded",) * 2, ("place", "commune")),
    "couple_year": (("name_folded",) * 2, ("spouse_folded",) * 2, ("birth_year",) * 2),
    "name_year_place": (("name_folded",) * 2, ("birth_year",) * 2, ("place", "commune")),
    "name_place": (("name_folded",) * 2, ("place", "commune")),
    "name_year_hamlet": (("name_folded",) * 2, ("birth_year",) * 2, ("place", "commune"), ("hamlet",) * 2),
    "name_hamlet": (("name_folded",) * 2, ("place", "commune"), ("hamlet",) * 2),
}
"""Name of a count → (field of the mention, field of the citizen): how many citizens carry these values together."""


_TEXTS = (
    "name_folded",
    "name_sound",
    "spouse_folded",
    "spouse_given",
    "hamlet",
    "serial",
    "parcel_code",
    "id12",
    "id9",
)


def _hashed(*columns: str) -> str:
    """Texts as 64-bit hashes: grouping by whole numbers is several times faster than by text."""
    return ", ".join(f"case when {column} is not null then hash({column}) end as {column}" for column in columns)


def prepare(con: Connection) -> None:
    """The tables `gathering` (persons among the mentions) and `namesakes` (citizens), texts as hashes.

    A number counts only under a fitting name: the wife's line may hold her husband's number. `citizen` is the citizen
    whose number a mention carries; `identity` is the 12-digit number that says who this is: that citizen's, or one that
    the register does not know.
    """
    con.execute(f"""
        create or replace temp table people as
        select mention, name_folded, name_sound, given, sex, id12, id9, birth_year
        from mentions where kind = 'person' and name_folded is not null;
        create or replace temp table fitting as
        with numbered as (
            select p.mention, c.id as citizen from people as p join citizens as c on p.id12 = c.id12
            union
            select p.mention, c.id from people as p join citizens as c on p.id9 = c.id9)
        select n.mention, min(n.citizen) as citizen, count(*) as citizens
        from numbered as n join people as p using (mention) join citizens as c on c.id = n.citizen
        where coalesce(p.sex = c.sex or p.name_folded = c.name_folded, true) and (
            p.name_sound = c.name_sound
            or (p.given = c.given and (
                list_has_all(string_split(p.name_folded, ' '), string_split(c.name_folded, ' '))
                or list_has_all(string_split(c.name_folded, ' '), string_split(p.name_folded, ' '))))
            or jaro_winkler_similarity(p.name_folded, c.name_folded) >= 0.95)
        group by n.mention;
        create or replace temp table identities as
        select p.mention, case when citizens = 1 then fitting.citizen end as citizen,
               case when citizens = 1 then own.id12 when other.id12 is null then p.id12 end as identity
        from people as p left join fitting using (mention)
        left join citizens as own on own.id = fitting.citizen
        left join citizens as other on other.id12 = p.id12;
        create or replace temp table gathering as
        select m.mention, {_hashed(*(f"m.{column}" for column in _TEXTS)).replace("as m.", "as ")},
               m.birth_year, m.birth_month, m.birth_day, i.citizen, i.identity,
               coalesce(m.commune, m.parcel_commune)::integer as place, m.parcel_commune::integer as parcel_commune
        from mentions as m join identities as i using (mention);
        create or replace temp table namesakes as
        select {_hashed("name_folded", "spouse_folded", "hamlet")}, birth_year, birth_month, birth_day,
               commune::integer as commune
        from citizens where name_folded is not null;
        drop table people; drop table fitting; drop table identities""")


def _group_sql(key: Key) -> str:
    present = " and ".join(f"g.{field} is not null" for field in key.fields)
    fields = ", ".join(f"g.{field}" for field in key.fields)
    joins, conditions = "", ""
    for count in key.counts:
        pairs = _COUNTS[count]
        citizen = ", ".join(right for _, right in pairs)
        on = " and ".join(f"g.{left} = {count}.{right}" for left, right in pairs)
        joins += (
            f" left join (select {citizen}, count(*) as n_{count} from namesakes group by {citizen}) as {count} on {on}"
        )
    if key.others is not None:
        conditions = f" and {key.others} <= $max_others"
    return (
        f"select g.mention, g.citizen, g.birth_year, g.spouse_given, g.hamlet, g.place, hash({fields}) as key "
        f"from gathering as g{joins} where {present}{conditions}"
    )


_ONE_PERSON = f"""
    coalesce(min(citizen) = max(citizen), true) and coalesce(min(spouse_given) = max(spouse_given), true)
    and coalesce(max(birth_year) - min(birth_year) <= {_YEARS_APART}, true)
    and coalesce(min(hash(place, hamlet)) filter (hamlet is not null)
               = max(hash(place, hamlet)) filter (hamlet is not null), true)"""
"""What a likeness must not show: two citizens' numbers, years far apart, two spouses, two hamlets."""


def edges(con: Connection, key: Key, number: int, *, max_others: float) -> None:
    """Append to `joins` (mention, root, key number) the mentions that `key` brings together."""
    parameters = {"max_others": max_others} if key.others is not None else {}
    clash = "" if key.is_proof else f" having {_ONE_PERSON}"
    con.execute(
        f"""insert into joins
        with keyed as ({_group_sql(key)}),
        roots as (select key, min(mention) as root, count(*) as n from keyed group by key{clash})
        select k.mention, r.root, {number}::tinyint from keyed as k join roots as r using (key)
        where r.n > 1 and k.mention <> r.root""",
        parameters,
    )
