"""The catalogue of comparisons: what a pair of records may agree on, one sentence each.

Rules
- A comparison is a list of levels, strongest first; the first level that holds is taken.
- A level is one SQL condition over `<column>_l` and `<column>_r`. In a land register run `_l` is the citizen
  and `_r` the person gathered from owner lines (Splink orders tables by name).
- A null level means "no evidence" and weighs nothing. The last level, *else*, is disagreement.
- Similarity works on folded text only; accents are separate evidence.
- `m_prior` is a guess of m used as the start of EM and as the pull of smoothing, never as a final value.
- The sentence of a comparison is what the report, the reviewer's page and the docs show.

>>> sex("sex").levels[1].sql
'sex_l = sex_r'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from linkage.compare import similarity as like
from linkage.errors import ConfigError


@dataclass(frozen=True)
class Level:
    """One degree of agreement: a SQL condition, or None for *else*."""

    label: str
    sql: str | None
    m_prior: float = 0.0
    is_null: bool = False
    term_frequency: str | None = None
    equal: tuple[str, ...] = ()
    u_prior: float = 0.0
    """`equal`: columns whose equality is the level, so that its u is counted, not sampled. `u_prior`: the least u of a
    level too rare for a sample, times the number of left-hand records (1.0 = one such record for each other)."""


@dataclass(frozen=True)
class Comparison:
    """A named list of levels and the sentence that says what it means."""

    name: str
    levels: tuple[Level, ...]
    sentence: str
    sentence_vi: str
    columns: tuple[str, ...] = field(default=())

    @property
    def scored(self) -> tuple[Level, ...]:
        """The levels that carry weight, strongest first."""
        return tuple(level for level in self.levels if not level.is_null)

    def gamma(self, level: Level) -> int:
        """Splink's number of a level: -1 for null, 0 for else, upwards to the strongest."""
        return -1 if level.is_null else len(self.scored) - 1 - self.scored.index(level)


def _missing(*columns: str) -> Level:
    sql = " or ".join(f"{column}_l is null or {column}_r is null" for column in columns)
    return Level("missing", sql, is_null=True)


# ---- general ---------------------------------------------------------------------------------------------------


def exact(column: str, *, name: str | None = None, term_frequency: bool = False) -> Comparison:
    """The two values are the same."""
    levels = (
        _missing(column),
        Level(
            "same", f"{column}_l = {column}_r", 0.9, term_frequency=column if term_frequency else None, equal=(column,)
        ),
        Level("different", None, 0.1),
    )
    return Comparison(name or column, levels, f"{column}: the same or not.", f"{column}: giống hay khác.", (column,))


# ---- the land register -----------------------------------------------------------------------------------------


def full_name(_: str = "name") -> Comparison:
    """The names are the same, sound the same, lost a word, or share the given name."""
    levels = (
        _missing("name_folded"),
        Level("same", "name_folded_l = name_folded_r", 0.9, term_frequency="name_folded", equal=("name_folded",)),
        Level("sounds the same", "name_sound_l = name_sound_r", 0.03),
        Level("a word more or less", like.word_dropped("name"), 0.03),
        Level("a letter or two differ", like.close("name_folded", 0.93) + " and given_l = given_r", 0.01),
        Level("close", like.close("name_folded", 0.9), 0.01),
        Level("given name and surname", "given_l = given_r and surname_l = surname_r", 0.006),
        Level("given name only", "given_l = given_r", 0.004),
        Level("different", None, 0.01),
    )
    return Comparison(
        "full_name",
        levels,
        "Full name without accents: the same, sounding the same, a word dropped; rare names weigh more.",
        "Họ tên không dấu: trùng, đọc giống, thiếu một chữ; tên hiếm có trọng số cao hơn.",
        ("name_folded", "name_sound", "given", "surname", "name_words"),
    )


def accents(_: str = "name") -> Comparison:
    """Where the letters agree, the accents agree too."""
    apart = "name_folded_l is null or name_folded_r is null or name_folded_l <> name_folded_r"
    levels = (
        Level("not comparable", f"{apart} or not (accented_l and accented_r)", is_null=True),
        Level("same", "name_key_l = name_key_r", 0.93),
        Level("different", None, 0.07),
    )
    return Comparison(
        "accents",
        levels,
        "Accents: where the letters of the names agree, their accents agree too.",
        "Dấu: khi các chữ cái trùng nhau thì dấu cũng trùng.",
        ("name_key", "name_folded", "accented"),
    )


def birth(_: str = "birth") -> Comparison:
    """The birth dates agree in full, in year, or nearly."""
    year = "birth_year_l = birth_year_r"
    both = "birth_day_l is not null and birth_day_r is not null"
    levels = (
        _missing("birth_year"),
        Level("full date", f"{year} and birth_month_l = birth_month_r and birth_day_l = birth_day_r", 0.25),
        Level("day and month swapped", f"{year} and birth_month_l = birth_day_r and birth_day_l = birth_month_r", 0.01),
        Level("year, no day to compare", f"{year} and not ({both})", 0.65),
        Level("year, another day", year, 0.02),
        Level("one year apart", "abs(birth_year_l - birth_year_r) = 1", 0.03),
        Level("near year", like.near_year("birth_year"), 0.02),
        Level("different", None, 0.02),
    )
    return Comparison(
        "birth",
        levels,
        "Birth: the full date, the year, or a year nearby; placeholders count as missing.",
        "Ngày sinh: trùng cả ngày, trùng năm, hoặc lệch ít; ngày giả (01/01, 1900) coi như thiếu.",
        ("birth_year", "birth_month", "birth_day"),
    )


def sex(column: str = "sex") -> Comparison:
    """The sexes agree."""
    levels = (_missing(column), Level("same", f"{column}_l = {column}_r", 0.99), Level("different", None, 0.01))
    return Comparison("sex", levels, "Sex: the same or not.", "Giới tính: giống hay khác.", (column,))


def id12(column: str = "id12") -> Comparison:
    """The 12-digit numbers agree, nearly agree, or one belongs to the other's household."""
    levels = (
        _missing(column),
        Level("same", f"{column}_l = {column}_r", 0.94, equal=(column,)),
        Level("a digit wrong or swapped", like.one_slip(column), 0.025, u_prior=0.02),
        Level("number of the same household", f"kin_l = {column}_kin_r", 0.015, u_prior=3.0),
        Level("province, sex and year agree", f"substr({column}_l, 1, 6) = substr({column}_r, 1, 6)", 0.002),
        Level("different", None, 0.01),
    )
    return Comparison(
        "id12",
        levels,
        "12-digit number: the same, one slip away, a relative's, or another.",
        "Số định danh 12 số: trùng, sai một chữ số, của người nhà, hoặc khác.",
        (column, "kin", f"{column}_kin"),
    )


def id9(column: str = "id9") -> Comparison:
    """The 9-digit numbers agree, nearly agree, or one belongs to the other's household."""
    levels = (
        _missing(column),
        Level("same", f"{column}_l = {column}_r", 0.92, equal=(column,)),
        Level("a digit wrong or swapped", like.one_slip(column), 0.025, u_prior=0.02),
        Level("number of the same household", f"kin_l = {column}_kin_r", 0.015, u_prior=3.0),
        Level("different", None, 0.04),
    )
    return Comparison(
        "id9",
        levels,
        "9-digit number: the same, one slip away, a relative's, or another (a person may have had several).",
        "Số CMND 9 số: trùng, sai một chữ số, của người nhà, hoặc khác (một người có thể có nhiều số).",
        (column, "kin", f"{column}_kin"),
    )


def commune(column: str = "commune") -> Comparison:
    """The citizen lives where the owner's papers say, or where the parcel lies."""
    levels = (
        Level("missing", f"{column}_l is null or ({column}_r is null and parcel_commune_r is null)", is_null=True),
        Level("residence", f"{column}_l = {column}_r", 0.8),
        Level("parcel's commune", f"{column}_l = parcel_commune_r", 0.1),
        Level("same province", "province_l = province_r", 0.06),
        Level("elsewhere", None, 0.04),
    )
    return Comparison(
        "commune",
        levels,
        "Commune: the citizen lives where the papers say, or where the parcel lies.",
        "Xã: nơi cư trú trùng với địa chỉ trên giấy tờ hoặc với nơi có thửa đất.",
        (column, "parcel_commune", "province"),
    )


def hamlet(column: str = "hamlet") -> Comparison:
    """Within one commune, the hamlets agree."""
    levels = (
        Level(
            "missing",
            f"{column}_l is null or {column}_r is null or not coalesce(commune_l = commune_r, false)",
            is_null=True,
        ),
        Level("same", f"{column}_l = {column}_r", 0.8),
        Level("another", None, 0.2),
    )
    return Comparison(
        "hamlet",
        levels,
        "Hamlet: the same one within the commune.",
        "Thôn, xóm, tổ dân phố: trùng trong cùng xã.",
        (column, "commune"),
    )


def spouse(column: str = "spouse") -> Comparison:
    """The husband or wife named beside the owner is the citizen's husband or wife."""
    text = f"{column}_folded"
    levels = (
        _missing(text),
        Level("same", f"{text}_l = {text}_r", 0.85, term_frequency=text, equal=(text,)),
        Level("sounds the same", f"{column}_sound_l = {column}_sound_r", 0.03),
        Level("a word more or less", like.word_dropped(column), 0.02),
        Level("close", like.close(text, 0.9), 0.02),
        Level("given name only", f"{column}_given_l = {column}_given_r", 0.02),
        Level("different", None, 0.06),
    )
    return Comparison(
        "spouse",
        levels,
        "Spouse: the person named beside the owner is the citizen's husband or wife.",
        "Vợ chồng: người đứng tên cùng là vợ hoặc chồng của công dân.",
        (text, f"{column}_sound", f"{column}_words", f"{column}_given"),
    )


CATALOGUE: Mapping[str, Callable[..., Comparison]] = {
    "exact": exact,
    "full_name": full_name,
    "accents": accents,
    "birth": birth,
    "sex": sex,
    "id12": id12,
    "id9": id9,
    "commune": commune,
    "hamlet": hamlet,
    "spouse": spouse,
}


def from_catalogue(kind: str) -> Comparison:
    """The comparison called `kind`; `ConfigError` names the ones there are."""
    if kind not in CATALOGUE:
        message = f"comparisons: expected one of {', '.join(sorted(CATALOGUE))}, found '{kind}'; mend the config."
        raise ConfigError(message)
    return CATALOGUE[kind]()
