"""What is written about each person on each certificate: name, number, birth, sex, with the catalogue's errors.

Rules
- A mention is a person on a certificate; the same paper is copied onto all parcels of the certificate, so a mention
  weighs as many lines as there are parcels, and shares are counted in lines.
- Numbers follow time: old papers and people long dead have none or nine digits, recently checked people twelve.
- The second person of a free text, and the third of a list, have no columns: nothing but the name is known there.

>>> wrong_digit(stream(1, "example"), np.array([45085001234]), 12)[0] != 45085001234
np.True_
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from linkage.synth import names
from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import Flags, Floats, Ints, Rng, allot, pick, pick_within, stream
from linkage.synth.population import Tree, digits
from linkage.synth.world import World

__all__ = ["Mentions", "make_mentions", "stream", "wrong_digit"]

_NUMBERS_SINCE = 2016
_FLOATS, _SCIENTIFIC = 0.15, 0.10
_SWAPPED_DIGITS = 0.35


@dataclass
class Mentions:
    """One row for each person on each certificate, ordered by certificate and slot."""

    certificate: Ints
    slot: Ints
    person: Ints
    lines: Ints
    hidden: Flags
    name: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))
    id_no: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))
    id_date: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))
    birth: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))
    year: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    sex: pl.Series = field(default_factory=lambda: pl.Series([], dtype=pl.String))
    errors: dict[str, Flags] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.person)


def make_mentions(rng: Rng, world: World, hidden: Flags) -> Mentions:
    """All mentions; `hidden` says which (certificate, slot) have no columns of their own."""
    people = world.certificates.people
    certificate, slot = np.nonzero(people >= 0)
    lines = world.certificates.parcels[certificate]
    mentions = Mentions(certificate, slot, people[certificate, slot], lines, hidden[certificate, slot])
    _write_names(rng, world.tree, mentions, world.catalogue)
    _write_ids(rng, world, mentions)
    _write_births(rng, world.tree, mentions, world.catalogue)
    _write_sexes(rng, world.tree, mentions, world.catalogue)
    return mentions


# --- names -----------------------------------------------------------------------------------------------------------


def _write_names(rng: Rng, tree: Tree, mentions: Mentions, catalogue: Catalogue) -> None:
    written, men = tree.name[mentions.person], tree.male[mentions.person]
    for error in ("name_other", "name_word_lost_or_added", "name_accent_wrong", "name_spelling_style"):
        mentions.errors[error] = pick(rng, catalogue.rate(error), mentions.lines)
    some = mentions.errors["name_other"]
    written[some] = names.other_name(rng, written[some], men[some])
    some = mentions.errors["name_word_lost_or_added"]
    written[some] = names.lose_or_add_word(rng, written[some], men[some])
    some = mentions.errors["name_accent_wrong"]
    written[some] = names.misspell_accent(rng, written[some])
    mentions.name = _restyle(rng, written, mentions.errors["name_spelling_style"])


def _restyle(rng: Rng, written: Ints, some: Flags) -> pl.Series:
    """Tone style or y/i where a word allows it; otherwise Unicode forms and blanks."""
    other = names.respell(written)
    spelled = some & (other != written).any(axis=1) & (rng.random(len(written)) < 0.75)
    text = names.text_of(np.where(spelled[:, None], other, written))
    rows = np.flatnonzero(some & ~spelled)
    kind = rng.choice(4, len(rows), p=[0.45, 0.2, 0.2, 0.15])
    changed = [
        _unicode_form(value, form) for value, form in zip(text.gather(rows).to_list(), kind.tolist(), strict=True)
    ]
    return text.scatter(rows, changed) if len(rows) else text


def _unicode_form(text: str, form: int) -> str:
    if form == 1 and ("Đ" in text or "đ" in text):
        return text.replace("Đ", "\u00d0").replace("đ", "\u00f0")
    if form == 2:
        return text.replace(" ", "\u00a0", 1)
    if form == 3:
        return text.replace(" ", "  ", 1) + " "
    return unicodedata.normalize("NFD", text)


# --- numbers ---------------------------------------------------------------------------------------------------------

_MISSING, _PAPER, _NINE, _TWELVE = range(4)


@dataclass(frozen=True)
class _Slips:
    """What is wrong with each number; at most one thing."""

    lost: Flags
    wrong: Flags
    other: Flags
    earlier: Flags


def _write_ids(rng: Rng, world: World, mentions: Mentions) -> None:
    rate = world.catalogue.rate
    sound = rate("id_former") + rate("id_correct") + rate("id_zero_lost")
    nine = rate("id_former") * (1 + (rate("id_digit_wrong") + rate("id_of_another")) / max(sound, 1e-9))
    shares = [rate("id_missing"), rate("id_other_paper"), nine]
    kind = allot(rng, mentions.lines, shares, latent=_lateness(rng, world, mentions))
    kind[(kind == _NINE) & (world.numbers.former[mentions.person] < 0)] = _TWELVE
    slips = _slips(rng, mentions, kind, world.catalogue)
    value = _id_values(rng, world, mentions, kind, slips)
    plain = ~(slips.lost | slips.wrong | slips.other)
    mentions.errors.update(
        id_correct=(kind == _TWELVE) & plain, id_former=(kind == _NINE) & plain, id_missing=kind == _MISSING,
        id_zero_lost=slips.lost, id_digit_wrong=slips.wrong, id_of_another=slips.other, id_other_paper=kind == _PAPER,
        id_former_replaced=slips.earlier,
    )  # fmt: skip
    written = np.where(slips.other & (value >= 0), np.where(value < 10**9, _NINE, _TWELVE), kind)
    mentions.id_no = _id_texts(rng, value, written, slips.lost)
    mentions.id_date = _id_dates(rng, world, mentions, kind)


def _lateness(rng: Rng, world: World, mentions: Mentions) -> Floats:
    """How recent the identity data of a mention is: by era, by person, by paper; the dead have old papers."""
    person, at, tree = mentions.person, mentions.certificate, world.tree
    value = 0.6 * world.certificates.era[at] + rng.normal(size=len(mentions)) * 0.4
    value += rng.normal(size=len(tree))[person] * 0.8 + rng.normal(size=len(world.certificates))[at] * 0.5
    value -= np.where(tree.alive[person], 0.0, np.where(world.inside[person], 1.5, 3.0))
    return np.asarray(value - np.where(mentions.hidden, 100.0, 0.0))


def _slips(rng: Rng, mentions: Mentions, kind: Ints, catalogue: Catalogue) -> _Slips:
    """Which numbers belong to another person, have a wrong digit, lost their zero, or are older than the register's."""
    lines, total = mentions.lines, mentions.lines.sum()
    numbered = kind >= _NINE

    def share(error: str, among: Flags) -> float:
        return float(min(catalogue.rate(error) * total / max(lines[among].sum(), 1), 1.0))

    both = rng.random(int(mentions.certificate.max(initial=0)) + 1)[mentions.certificate]
    latent = np.where(rng.random(len(both)) < 0.5, both, rng.random(len(both)))
    other = np.zeros(len(mentions), dtype=bool)
    other[numbered] = allot(rng, lines[numbered], [share("id_of_another", numbered)], latent=latent[numbered]) == 0
    wrong = pick_within(rng, share("id_digit_wrong", numbered & ~other), lines, numbered & ~other)
    sound = numbered & ~other & ~wrong
    lost = pick_within(rng, share("id_zero_lost", sound & (kind == _TWELVE)), lines, sound & (kind == _TWELVE))
    earlier = pick_within(rng, catalogue.rate("id_former_replaced"), lines, sound & (kind == _NINE))
    return _Slips(lost, wrong, other, earlier)


def _another(world: World, mentions: Mentions) -> Ints:
    """Whose number is taken by mistake: the head's, the spouse's, a parent's, a stranger's."""
    person, tree = mentions.person, world.tree
    head = world.certificates.people[mentions.certificate, 0]
    stranger = (person * 31 + 17) % len(tree)
    kin = np.where(tree.father[person] >= 0, tree.father[person], stranger)
    kin = np.where(tree.spouse[person] >= 0, tree.spouse[person], kin)
    return np.where(mentions.slot > 0, head, kin)


def _id_values(rng: Rng, world: World, mentions: Mentions, kind: Ints, slips: _Slips) -> Ints:
    """The number on the paper, -1 for none; whoever died before twelve digits were given has nine."""
    numbers = world.numbers
    whose = np.where(slips.other, _another(world, mentions), mentions.person)
    nine = (kind == _NINE) | (slips.other & (world.tree.death[whose] < _NUMBERS_SINCE))
    nine &= numbers.former[whose] >= 0
    value = np.where(
        nine, np.where(slips.earlier, numbers.earlier[whose], numbers.former[whose]), numbers.citizen[whose]
    )
    for width, chosen in ((9, slips.wrong & nine), (12, slips.wrong & ~nine)):
        value[chosen] = wrong_digit(rng, value[chosen], width)
    return np.where(kind >= _NINE, value, -1)


def wrong_digit(rng: Rng, values: Ints, width: int) -> Ints:
    """Each number with one digit changed or two neighbours swapped."""
    place = 10 ** rng.integers(0, width - 1, len(values))
    low, high = values // place % 10, values // place // 10 % 10
    swap = (rng.random(len(values)) < _SWAPPED_DIGITS) & (low != high)
    swapped = values + (high - low) * place + (low - high) * place * 10
    new = (low + rng.integers(1, 10, len(values))) % 10
    return np.where(swap, swapped, values + (new - low) * place)


def _id_texts(rng: Rng, value: Ints, kind: Ints, lost: Flags) -> pl.Series:
    text = digits(np.where(kind == _TWELVE, value, -1), 12).fill_null(digits(np.where(kind == _NINE, value, -1), 9))
    rows = np.flatnonzero(lost)
    form = rng.random(len(rows))
    bare = [_spreadsheet(v, f) for v, f in zip(value[rows].tolist(), form.tolist(), strict=True)]
    papers = np.flatnonzero(kind == _PAPER)
    return text.scatter(np.concatenate([rows, papers]), bare + _other_papers(rng, len(papers)))


def _spreadsheet(value: int, form: float) -> str:
    if form < _SCIENTIFIC:
        return f"{value:.4E}"
    return f"{value}.0" if form < _SCIENTIFIC + _FLOATS else str(value)


def _other_papers(rng: Rng, size: int) -> list[str]:
    number = rng.integers(100_000, 9_999_999, size)
    kind = rng.integers(0, 5, size)
    forms = ("B{:07d}", "SQ {:08d}", "GKS {:d}", "Sổ HK 31{:07d}", "C{:07d}")
    return [forms[k].format(n % 10_000 if k == 2 else n) for k, n in zip(kind.tolist(), number.tolist(), strict=True)]


def _id_dates(rng: Rng, world: World, mentions: Mentions, kind: Ints) -> pl.Series:
    issued = world.certificates.year[mentions.certificate] - rng.integers(0, 9, len(mentions))
    year = np.where(kind == _TWELVE, rng.integers(2016, 2025, len(mentions)), issued)
    missing = pick_within(rng, world.catalogue.rate("id_date_missing"), mentions.lines, kind >= _NINE)
    return any_day(rng, year).zip_with(pl.Series((kind >= _NINE) & ~missing), nothing(len(mentions)))


# --- birth and sex ---------------------------------------------------------------------------------------------------

_NO_BIRTH, _IN_1900, _NEW_YEAR, _YEAR, _FULL = range(5)


def _write_births(rng: Rng, tree: Tree, mentions: Mentions, catalogue: Catalogue) -> None:
    lines, person = mentions.lines, mentions.person
    blank = catalogue.rate("birth_placeholder")
    shares = [blank * 0.45, blank * 0.20, blank * 0.35, catalogue.rate("birth_year_only")]
    form = allot(rng, lines, shares, latent=rng.random(len(mentions)) - mentions.hidden)
    seen = form >= _NEW_YEAR
    rate = catalogue.rate("birth_year_wrong") * lines.sum() / max(lines[seen].sum(), 1)
    wrong = pick_within(rng, rate, lines, seen)
    mentions.year = np.where(wrong, _wrong_years(rng, tree.birth[person]), tree.birth[person])
    first = (tree.birth[person] - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    date = pl.Series(first + tree.day[person].astype("timedelta64[D]"))
    day, month = date.dt.day().to_numpy(), date.dt.month().to_numpy()
    able = (form == _FULL) & (day <= 12) & (day != month)
    rate = catalogue.rate("birth_day_month_swapped") * lines[form == _FULL].sum() / max(lines[able].sum(), 1)
    swapped = pick_within(rng, min(rate, 1.0), lines, able)
    mentions.birth = _birth_texts(
        rng, mentions.year, np.where(swapped, month, day), np.where(swapped, day, month), form
    )
    mentions.errors.update(
        birth_year_only=form == _YEAR,
        birth_placeholder=form <= _NEW_YEAR,
        birth_year_wrong=wrong,
        birth_day_month_swapped=swapped,
    )


def _wrong_years(rng: Rng, year: Ints) -> Ints:
    off = year + rng.choice([-3, -2, -1, 1, 2, 3], len(year), p=[0.08, 0.14, 0.28, 0.28, 0.14, 0.08])
    turned = year // 100 * 100 + year % 10 * 10 + year // 10 % 10
    form = rng.random(len(year))
    sensible = (turned != year) & (turned < 2008)
    mistyped = np.where(year >= 1900, year - 900, year)
    return np.where(form < 0.02, mistyped, np.where((form < 0.2) & sensible, turned, off))


def _birth_texts(rng: Rng, years: Ints, days: Ints, months: Ints, form: Ints) -> pl.Series:
    size = len(years)
    one, other = (pl.Series(values).cast(pl.String).str.zfill(2) for values in (days, months))
    year = pl.Series(years).cast(pl.String)
    style = rng.choice(3, size, p=[0.8, 0.1, 0.1])
    frame = pl.DataFrame(
        {"a": one, "b": other, "y": year, "form": form, "style": style, "half": rng.random(size) < 0.5}
    )
    a, b, y, at = pl.col("a"), pl.col("b"), pl.col("y"), pl.col("form")
    full = (
        pl.when(pl.col("style") == 0).then(pl.concat_str(a, pl.lit("/"), b, pl.lit("/"), y))
        .when(pl.col("style") == 1).then(pl.concat_str(a, pl.lit("-"), b, pl.lit("-"), y))
        .otherwise(pl.concat_str(y, pl.lit("-"), b, pl.lit("-"), a))
    )  # fmt: skip
    text = (
        pl.when(at == _FULL).then(full).when(at == _YEAR).then(y)
        .when(at == _NEW_YEAR).then(pl.concat_str(pl.lit("01/01/"), y))
        .when((at == _IN_1900) & pl.col("half")).then(pl.lit("1900"))
        .when(at == _IN_1900).then(pl.lit("01/01/1900"))
    )  # fmt: skip
    return frame.select(text.alias("birth")).to_series()


def _write_sexes(rng: Rng, tree: Tree, mentions: Mentions, catalogue: Catalogue) -> None:
    rates = catalogue.rates("sex_missing", "sex_wrong", "sex_misspelt")
    form = allot(rng, mentions.lines, rates, latent=rng.random(len(mentions)) - mentions.hidden)
    male = tree.male[mentions.person]
    shown = np.where(form == 1, ~male, male).astype(np.int64)
    odd = pl.Series(["Nư", "Nữ", "Nma", "Nam"]).gather(shown * 2 + rng.integers(0, 2, len(mentions)))
    plain = pl.Series(["F", "M"]).gather(shown)
    text = odd.zip_with(pl.Series(form == 2), plain)
    mentions.sex = nothing(len(mentions)).zip_with(pl.Series(form == 0), text)
    mentions.errors.update(sex_missing=form == 0, sex_wrong=form == 1, sex_misspelt=form == 2)


# --- helpers ---------------------------------------------------------------------------------------------------------


def nothing(size: int) -> pl.Series:
    """A text column without values."""
    return pl.Series([None], dtype=pl.String).new_from_index(0, size)


def any_day(rng: Rng, year: Ints) -> pl.Series:
    """A random day of each year, as written on papers."""
    first = (year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
    return pl.Series(first + rng.integers(0, 365, len(year)).astype("timedelta64[D]")).dt.to_string("%d/%m/%Y")
