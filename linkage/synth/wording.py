"""How a certificate writes its people: forms glued to names, both spouses in one text, old letters.

Rules
- A habit belongs to a certificate and so to all its lines. Shares are dealt out by mentions.
- A free text joins two spouses in one cell; half of the time the second person then has no columns at all.
- Unaccented and legacy letters change every text of the certificate alike.

>>> _UNACCENTED[0]("Hộ ông Đỗ Văn Hòa")
'HO ONG DO VAN HOA'
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.synth import legacy_text
from linkage.synth.draw import Flags, Ints, Rng, allot, pick_within
from linkage.synth.holdings import COUPLE, HOUSEHOLD, ORGANISATION, SLOTS
from linkage.synth.mentions import Mentions, nothing
from linkage.synth.names import fold_case_kept
from linkage.synth.world import World

_FREE_TEXT, _FREE_TEXT_WITH_COLUMNS = 0.45, 0.5


@dataclass(frozen=True)
class Layout:
    """By certificate: is a form glued to names, do both spouses stand in one text, which letters are used."""

    glued: Flags
    free_text: Flags
    hidden: Flags
    unaccented: Flags
    legacy: Flags
    unaccented_way: Ints
    legacy_way: Ints


def lay_out(rng: Rng, world: World) -> Layout:
    """The habits of writing of each certificate, dealt out by mentions."""
    certificates, rates = world.certificates, world.catalogue
    weight = certificates.parcels * certificates.named
    total, heirs = weight.sum(), certificates.heirs
    rate = rates.rate("name_form_glued") * total - weight[heirs].sum()
    person = (certificates.kind < ORGANISATION) & ~heirs
    glued = pick_within(rng, max(rate, 0) / max(weight[person].sum(), 1), weight, person) | heirs
    spouses = np.isin(certificates.kind, [COUPLE, HOUSEHOLD]) & (certificates.named == 2) & ~certificates.two_lines
    free = glued & spouses & (rng.random(len(certificates)) < _FREE_TEXT)
    bare = free & (rng.random(len(certificates)) >= _FREE_TEXT_WITH_COLUMNS)
    hidden = np.zeros((len(certificates), SLOTS), dtype=bool)
    hidden[bare, 1] = True
    hidden[~certificates.two_lines, 2:] = True
    letters = allot(rng, weight, rates.rates("name_unaccented", "name_legacy_encoding"))
    named = certificates.named > 0
    ways = rng.choice(3, len(weight), p=[0.5, 0.25, 0.25]), rng.choice(3, len(weight), p=[0.5, 0.2, 0.3])
    return Layout(glued, free, hidden, (letters == 0) & named, (letters == 1) & named, *ways)


# --- one person as written -------------------------------------------------------------------------------------------

_HEADS = pl.Series([
    "",
    "Ông ", "Ông: ", "Cụ ", "Hộ ông ", "Hộ gia đình ông ", "Hộ Ông: ", "ông ",
    " và vợ là bà ", " và vợ bà ", ", vợ: bà ", " và bà ", "và vợ là bà ",
    "Bà ", "Bà: ", "Cụ ", "Hộ bà ", "Hộ gia đình bà ", "Hộ Bà: ", "bà ",
    " và chồng là ông ", " và chồng ông ", ", chồng: ông ", " và ông ", "và chồng là ông ",
    "Những người thừa kế của ông ", "Những người thừa kế của bà ",
])  # fmt: skip
_MAN, _WOMAN, _HEIRS_OF = 1, 13, 25
_ALONE, _HOUSE, _LOWER, _JOINED, _SPOUSE = 0, 3, 6, 7, 11


def _heads(rng: Rng, world: World, layout: Layout, mentions: Mentions) -> pl.Series:
    """The words before each name."""
    certificates, at, slot = world.certificates, mentions.certificate, mentions.slot
    man = world.tree.male[mentions.person]
    pick3 = rng.choice(3, len(mentions), p=[0.72, 0.22, 0.06])
    house = (certificates.kind[at] == HOUSEHOLD) & (slot == 0) & (rng.random(len(mentions)) < 0.85)
    form = np.where(house, _HOUSE + pick3, _ALONE + pick3)
    second = (slot > 0) & ~certificates.two_lines[at]
    spouses = second & np.isin(certificates.kind[at], [COUPLE, HOUSEHOLD])
    form = np.where(second & (rng.random(len(mentions)) < 0.5), _LOWER, form)
    form = np.where(spouses & (rng.random(len(mentions)) < 0.3), _SPOUSE, form)
    form = np.where(layout.free_text[at] & second, _JOINED + rng.choice(4, len(mentions), p=[0.5, 0.2, 0.1, 0.2]), form)
    # a wife's words stand in the men's half of the table ("và vợ là bà"), hence the other half for her
    half = np.where((form >= _JOINED) ^ man, _MAN, _WOMAN)
    code = np.where(layout.glued[at], half + form, 0)
    code = np.where(certificates.heirs[at] & (slot == 0), np.where(man, _HEIRS_OF, _HEIRS_OF + 1), code)
    return _HEADS.gather(code)


def _tails(rng: Rng, world: World, layout: Layout, mentions: Mentions) -> pl.Series:
    """The words after each name: death mark, year of birth, number."""
    glued, lines, rate = layout.glued[mentions.certificate], mentions.lines, world.catalogue.rate
    dead = pick_within(rng, rate("death_mark"), lines, glued & ~world.tree.alive[mentions.person])
    born = pick_within(rng, rate("glued_birth_year"), lines, glued)
    numbered = pick_within(rng, rate("glued_id"), lines, glued & mentions.id_no.is_not_null().to_numpy())
    mentions.errors.update(death_mark=dead, glued_birth_year=born, glued_id=numbered)
    year = pl.Series(mentions.year).cast(pl.String)
    mark = _phrase(rng, (" (đã chết)", " (đã mất)", " (chết)"), dead)
    birth = _phrase(rng, (", sinh năm ", ", sinh năm: ", " - "), born) + _shown(year, born)
    return mark + birth + _glued_numbers(rng, mentions, numbered)


def _phrase(rng: Rng, phrases: Sequence[str], where: Flags) -> pl.Series:
    """One of the phrases where asked for, else an empty text."""
    return pl.Series(["", *phrases]).gather(np.where(where, rng.integers(1, len(phrases) + 1, len(where)), 0))


def _shown(text: pl.Series, where: Flags) -> pl.Series:
    return text.zip_with(pl.Series(where), pl.Series([""]).new_from_index(0, len(where))).fill_null("")


def _glued_numbers(rng: Rng, mentions: Mentions, numbered: Flags) -> pl.Series:
    """Numbers inside names; half of them stand nowhere else."""
    nine = (mentions.id_no.str.len_chars() == 9).fill_null(value=False).to_numpy()
    cmnd = _phrase(rng, (", CMND: ", ", CMND số "), numbered & nine)
    cccd = _phrase(rng, (", CCCD: ", ", số ĐDCN: "), numbered & ~nine)
    text = cmnd + cccd + _shown(mentions.id_no, numbered)
    moved = numbered & (rng.random(len(nine)) < 0.5)
    mentions.id_no = nothing(len(nine)).zip_with(pl.Series(moved), mentions.id_no)
    mentions.errors["glued_id_only"] = moved
    return text


def person_texts(rng: Rng, world: World, layout: Layout, mentions: Mentions) -> pl.Series:
    """Each person as the paper writes them; a free text's second person begins with the words that join the two."""
    head = _heads(rng, world, layout, mentions)
    return head + mentions.name + _tails(rng, world, layout, mentions)


# --- letters ---------------------------------------------------------------------------------------------------------


def rewrite(text: pl.Series, rows: Ints, how: list[int], ways: Sequence[Callable[[str], str]]) -> pl.Series:
    """Some rows of a text column, each changed in its way."""
    if len(rows) == 0:
        return text
    values = text.gather(rows).to_list()
    return text.scatter(rows, [v if v is None else ways[k](v) for v, k in zip(values, how, strict=True)])


_UNACCENTED = [lambda t: fold_case_kept(t).upper(), fold_case_kept, str.upper]
_LEGACY = [legacy_text.to_tcvn3, lambda t: legacy_text.to_tcvn3(t, soft_hyphen_kept=False), legacy_text.to_vni]


def apply_letters(text: pl.Series, at: Ints, layout: Layout) -> pl.Series:
    """A text column in the letters of its certificate."""
    plain, old = np.flatnonzero(layout.unaccented[at]), np.flatnonzero(layout.legacy[at])
    text = rewrite(text, plain, layout.unaccented_way[at[plain]].tolist(), _UNACCENTED)
    return rewrite(text, old, layout.legacy_way[at[old]].tolist(), _LEGACY)
