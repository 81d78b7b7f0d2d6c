"""The land register: certificates become papers, papers become lines, and every line keeps its truth.

Rules
- A paper is what one row of the register copies from a certificate: one or two persons in columns, or a free text that
  holds both spouses. A couple in two lines, and co-owners each on a line, give several papers of one certificate.
- A line is a paper on a parcel. Lines stand in the order of the register: old commune, map sheet, parcel.
- Errors of a whole certificate (letters of old fonts, no accents, honorifics, serial) fall on all its lines.
- Truth names every person on every line, in the order in which the line names them.

>>> ROLES[:3]
('owner', 'co_owner', 'co_owner_2')
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.synth import legacy_text, organisations
from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import Flags, Floats, Ints, Rng, allot, pick, pick_within
from linkage.synth.holdings import (
    CO_OWNERSHIP,
    COUPLE,
    HOUSEHOLD,
    KINDS,
    ORGANISATION,
    SLOTS,
    Certificates,
)  # fmt: skip
from linkage.synth.mentions import Mentions, any_day, nothing
from linkage.synth.names import fold_case_kept
from linkage.synth.places import ADDRESS_HABITS, NEW_FORM, Places, house_numbers
from linkage.synth.population import Tree, unique_tails

ROLES = ("owner", *("co_owner" if k == 1 else f"co_owner_{k}" for k in range(1, SLOTS)))
_KIND_WRITTEN = pl.Series([*KINDS[:5], "community", "community"])
_WIFE_FIRST, _FREE_TEXT, _FREE_TEXT_WITH_COLUMNS = 0.15, 0.45, 0.5


# --- how a certificate writes its people -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """By certificate: is a form glued to names, do both spouses stand in one text, which letters are used."""

    glued: Flags
    free_text: Flags
    hidden: Flags
    unaccented: Flags
    legacy: Flags


def order_spouses(rng: Rng, certificates: Certificates) -> None:
    """On some papers of couples the wife comes first."""
    first = (certificates.kind == COUPLE) & (rng.random(len(certificates)) < _WIFE_FIRST)
    certificates.people[first, 0], certificates.people[first, 1] = (
        certificates.people[first, 1].copy(), certificates.people[first, 0].copy(),
    )  # fmt: skip


def lay_out(rng: Rng, certificates: Certificates, catalogue: Catalogue) -> Layout:
    """The habits of writing of each certificate, dealt out by mentions."""
    weight = certificates.parcels * certificates.named
    total, heirs = weight.sum(), certificates.heirs
    rate = catalogue.rate("name_form_glued") * total - weight[heirs].sum()
    person = (certificates.kind < ORGANISATION) & ~heirs
    glued = pick_within(rng, max(rate, 0) / max(weight[person].sum(), 1), weight, person) | heirs
    spouses = np.isin(certificates.kind, [COUPLE, HOUSEHOLD]) & (certificates.named == 2) & ~certificates.two_lines
    free = glued & spouses & (rng.random(len(certificates)) < _FREE_TEXT)
    bare = free & (rng.random(len(certificates)) >= _FREE_TEXT_WITH_COLUMNS)
    hidden = np.zeros((len(certificates), SLOTS), dtype=bool)
    hidden[bare, 1] = True
    hidden[~certificates.two_lines, 2:] = True
    letters = allot(rng, weight, catalogue.rates("name_unaccented", "name_legacy_encoding"))
    named = certificates.named > 0
    return Layout(glued, free, hidden, (letters == 0) & named, (letters == 1) & named)


# --- one person as written -------------------------------------------------------------------------------------------

_HEADS = pl.Series([
    "", "Ông ", "Ông: ", "Cụ ", "Hộ ông ", "Hộ gia đình ông ", "Hộ Ông: ", "ông ", " và vợ là bà ", " và vợ bà ", ", vợ: bà ",
    " và bà ", "và vợ là bà ", "Bà ", "Bà: ", "Cụ ", "Hộ bà ", "Hộ gia đình bà ", "Hộ Bà: ", "bà ", " và chồng là ông ",
    " và chồng ông ", ", chồng: ông ", " và ông ", "và chồng là ông ", "Những người thừa kế của ông ",
    "Những người thừa kế của bà ",
])  # fmt: skip
_MAN, _WOMAN, _HEIRS_OF = 1, 13, 25
_ALONE, _HOUSE, _LOWER, _JOINED, _SPOUSE = 0, 3, 6, 7, 11


def _heads(rng: Rng, tree: Tree, certificates: Certificates, layout: Layout, mentions: Mentions) -> pl.Series:
    """The words before each name."""
    at, slot = mentions.certificate, mentions.slot
    man = tree.male[mentions.person]
    pick3 = rng.choice(3, len(mentions), p=[0.72, 0.22, 0.06])
    house = np.isin(certificates.kind[at], [HOUSEHOLD]) & (slot == 0) & (rng.random(len(mentions)) < 0.85)
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


def _tails(rng: Rng, tree: Tree, layout: Layout, mentions: Mentions, catalogue: Catalogue) -> pl.Series:
    """The words after each name: death mark, year of birth, number."""
    glued, lines = layout.glued[mentions.certificate], mentions.lines
    dead = pick_within(rng, catalogue.rate("death_mark"), lines, glued & ~tree.alive[mentions.person])
    born = pick_within(rng, catalogue.rate("glued_birth_year"), lines, glued)
    numbered = pick_within(rng, catalogue.rate("glued_id"), lines, glued) & mentions.id_no.is_not_null().to_numpy()
    mark = pl.Series(["", " (đã chết)", " (đã mất)", " (chết)"]).gather(
        np.where(dead, rng.integers(1, 4, len(dead)), 0)
    )
    lead = pl.Series(["", ", sinh năm ", ", sinh năm: ", " - "]).gather(
        np.where(born, rng.integers(1, 4, len(born)), 0)
    )
    year = (
        pl.Series(mentions.year).cast(pl.String).zip_with(pl.Series(born), pl.Series([""]).new_from_index(0, len(born)))
    )
    nine = mentions.id_no.str.len_chars().fill_null(0).to_numpy() == 9
    label = pl.Series(["", ", CMND: ", ", CMND số ", ", CCCD: ", ", số ĐDCN: "])
    chosen = label.gather(np.where(numbered, np.where(nine, 1, 3) + rng.integers(0, 2, len(nine)), 0))
    number = mentions.id_no.zip_with(pl.Series(numbered), pl.Series([""]).new_from_index(0, len(nine))).fill_null("")
    moved = pl.Series(numbered & (rng.random(len(nine)) < 0.5))
    mentions.id_no = nothing(len(nine)).zip_with(moved, mentions.id_no)
    mentions.errors["id_missing"] = mentions.errors["id_missing"] | moved.to_numpy()
    mentions.errors.update(death_mark=dead, glued_birth_year=born, glued_id=numbered)
    return mark + lead + year + chosen + number


def person_texts(
    rng: Rng, tree: Tree, certificates: Certificates, layout: Layout, mentions: Mentions, catalogue: Catalogue
) -> pl.Series:
    """Each person as the paper writes them; a free text's second person begins with the words that join the two."""
    head = _heads(rng, tree, certificates, layout, mentions)
    return head + mentions.name + _tails(rng, tree, layout, mentions, catalogue)


# --- letters ---------------------------------------------------------------------------------------------------------


def _rewrite(text: pl.Series, rows: Ints, how: list[int], ways: Sequence[Callable[[str], str]]) -> pl.Series:
    if len(rows) == 0:
        return text
    values = text.gather(rows).to_list()
    return text.scatter(rows, [v if v is None else ways[k](v) for v, k in zip(values, how, strict=True)])


_UNACCENTED = [lambda t: fold_case_kept(t).upper(), fold_case_kept, str.upper]
_LEGACY = [legacy_text.to_tcvn3, lambda t: legacy_text.to_tcvn3(t, soft_hyphen_kept=False), legacy_text.to_vni]


def draw_letters(rng: Rng, size: int) -> tuple[Ints, Ints]:
    """Which way each certificate is rewritten where flagged: unaccented 0 to 2, old fonts 0 to 2."""
    return rng.choice(3, size, p=[0.5, 0.25, 0.25]), rng.choice(3, size, p=[0.5, 0.2, 0.3])


def apply_letters(text: pl.Series, at: Ints, layout: Layout, ways: tuple[Ints, Ints]) -> pl.Series:
    """A text column in the letters of its certificate."""
    plain, old = np.flatnonzero(layout.unaccented[at]), np.flatnonzero(layout.legacy[at])
    text = _rewrite(text, plain, ways[0][at[plain]].tolist(), _UNACCENTED)
    return _rewrite(text, old, ways[1][at[old]].tolist(), _LEGACY)


# --- papers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Papers:
    """One row a paper: its certificate, the mentions it holds by slot (-1 beyond the last), and its text columns."""

    certificate: Ints
    held: Ints
    frame: pl.DataFrame
    addresses: pl.Series


def _held(certificates: Certificates, mentions: Mentions) -> tuple[Ints, Ints]:
    """Certificate and mentions of each paper."""
    table = np.full((len(certificates), SLOTS), -1, dtype=np.int64)
    table[mentions.certificate, mentions.slot] = np.arange(len(mentions))
    copies = np.where(certificates.two_lines, certificates.named, 1)
    at = np.repeat(np.arange(len(certificates)), copies)
    number = np.arange(len(at)) - np.repeat(np.cumsum(copies) - copies, copies)
    held = table[at]
    alone = certificates.two_lines[at]
    held[alone, 0] = table[at[alone], number[alone]]
    held[alone, 1:] = -1
    return at, held


def _gather(series: pl.Series, rows: Ints) -> pl.Series:
    """Values by row, null for -1."""
    if len(series) == 0:
        return nothing(len(rows))
    found = series.gather(np.where(rows >= 0, rows, 0))
    return found.zip_with(pl.Series(rows >= 0), nothing(len(rows)))


def _names_columns(texts: pl.Series, held: Ints, free: Flags, glued: Flags) -> tuple[pl.Series, pl.Series]:
    """`owner_name` and `co_owner_name` of each paper."""
    columns = {f"p{k}": _gather(texts, held[:, k]) for k in range(SLOTS)}
    frame = pl.DataFrame({**columns, "free": free, "glued": glued})
    rest = pl.concat_str([f"p{k}" for k in range(1, SLOTS)], separator=", ", ignore_nulls=True)
    both = pl.concat_str("p0", "p1", ignore_nulls=True)
    done = frame.select(
        owner=pl.when("free").then(both).otherwise("p0"),
        co=pl.when(~pl.col("free") & pl.col("p1").is_not_null()).then(rest),
    )
    return done["owner"], done["co"]


def _roles(tree: Tree, certificates: Certificates, mentions: Mentions, at: Ints, held: Ints) -> pl.Series:
    first = np.where(held[:, 0] >= 0, held[:, 0], 0)
    kind, alone = certificates.kind[at], certificates.two_lines[at]
    slot = mentions.slot[first]
    man = tree.male[mentions.person[first]]
    labels = pl.Series(["individual", "head", "husband", "wife", "representative", "member"])
    code = np.where(kind == HOUSEHOLD, 1, np.where(kind == COUPLE, np.where(man, 2, 3), 0))
    code = np.where(kind == CO_OWNERSHIP, np.where((slot == 0) | ~alone, 4, 5), code)
    return labels.gather(np.where(kind >= ORGANISATION, 4, code))


def owner_addresses(
    rng: Rng, places: Places, certificates: Certificates, catalogue: Catalogue
) -> tuple[pl.Series, Flags]:
    """The address on each certificate, and whether it has the old tiers: the newest papers have the new two."""
    person = certificates.kind < ORGANISATION
    size = len(certificates)
    habit = rng.choice(len(ADDRESS_HABITS), size, p=ADDRESS_HABITS)
    old = np.ones(size, dtype=bool)
    newest = -certificates.year[person] + rng.random(person.sum())
    share = 1 - catalogue.rate("address_old")
    old[person] = allot(rng, certificates.parcels[person], [share], latent=newest) > 0
    text = places.address(certificates.hamlet, np.where(old, habit, NEW_FORM))
    number = house_numbers(rng, places.hamlet_urban[certificates.hamlet])
    missing = pick_within(rng, catalogue.rate("address_missing"), certificates.parcels, person)
    return nothing(size).zip_with(pl.Series(missing), number + text), old


def make_papers(
    rng: Rng, tree: Tree, places: Places, certificates: Certificates, layout: Layout, mentions: Mentions,
    ways: tuple[Ints, Ints], catalogue: Catalogue,
) -> tuple[Papers, organisations.Bodies]:  # fmt: skip
    """All papers with the owner's columns of the contract, and the bodies that are no persons."""
    texts = person_texts(rng, tree, certificates, layout, mentions, catalogue)
    at, held = _held(certificates, mentions)
    owner, co_owner = _names_columns(texts, held, layout.free_text[at], layout.glued[at])
    group = organisations.named(rng, places, certificates)
    bodies = np.flatnonzero(certificates.kind[at] >= ORGANISATION)
    owner = owner.scatter(bodies, group.names.gather(group.of[at[bodies]]))
    plain, _ = owner_addresses(rng, places, certificates, catalogue)
    address = apply_letters(plain, np.arange(len(certificates)), layout, ways)
    number = _gather(mentions.id_no, held[:, 0])
    number = number.scatter(bodies, group.tax_codes.gather(group.of[at[bodies]]))
    co = np.where(layout.hidden[at, 1], -1, held[:, 1])
    frame = pl.DataFrame(
        {
            "owner_kind": _KIND_WRITTEN.gather(certificates.kind[at]),
            "owner_role": _roles(tree, certificates, mentions, at, held),
            "owner_name": apply_letters(owner, at, layout, ways),
            "owner_birth": _gather(mentions.birth, held[:, 0]),
            "owner_sex": _gather(mentions.sex, held[:, 0]),
            "owner_id_no": number,
            "owner_id_date": _gather(mentions.id_date, held[:, 0]),
            "owner_address": address.gather(at),
            "co_owner_name": apply_letters(co_owner, at, layout, ways),
            "co_owner_birth": _gather(mentions.birth, co),
            "co_owner_sex": _gather(mentions.sex, co),
            "co_owner_id_no": _gather(mentions.id_no, co),
        }
    )
    return Papers(at, held, frame, address), group


# --- certificates' numbers -------------------------------------------------------------------------------------------


def certificate_columns(rng: Rng, certificates: Certificates, catalogue: Catalogue) -> pl.DataFrame:
    """Serial, register number and date of each certificate, as written."""
    lines = certificates.parcels
    serial = _dirty(rng, _serials(rng, certificates), pick(rng, catalogue.rate("serial_dirty"), lines))
    missing = pick(rng, catalogue.rate("serial_missing"), lines)
    undated = pick(rng, catalogue.rate("certificate_date_missing"), lines)
    size = len(certificates)
    return pl.DataFrame(
        {
            "certificate_serial": nothing(size).zip_with(pl.Series(missing), serial),
            "certificate_no": _register_numbers(rng, certificates),
            "certificate_date": nothing(size).zip_with(pl.Series(undated), any_day(rng, certificates.year)),
        }
    )


def _serials(rng: Rng, certificates: Certificates) -> pl.Series:
    """One letter, then two letters, and six digits; from 2025 two letters and eight digits."""
    size = len(certificates)
    letters = "ABCDEGHIKLMNPQRSTUVXY"
    newest = certificates.year >= 2025
    starts = np.where(certificates.era == 1, 0, rng.integers(1, 4, size))
    ends = rng.integers(0, len(letters), size)
    table = pl.Series([*letters, *(a + b for a in "ABCD" for b in letters), "AA"])
    code = np.where(certificates.era == 0, ends, len(letters) * (1 + starts) + ends)
    code = np.where(newest, len(table) - 1, code)
    tail = unique_tails(rng, code, 6) % 1_000_000
    digits = pl.Series(tail).cast(pl.String)
    return table.gather(code) + " " + digits.str.zfill(8).zip_with(pl.Series(newest), digits.str.zfill(6))


def _dirty(rng: Rng, serial: pl.Series, some: Flags) -> pl.Series:
    forms = [
        lambda t: t.replace(" ", ""), str.lower, lambda t: t.replace(" ", "."), lambda t: t.replace("0", "O"),
        lambda t: f"Số {t} ", lambda t: t[:-3] + " " + t[-3:],
    ]  # fmt: skip
    rows = np.flatnonzero(some)
    changed = _rewrite(serial, rows, rng.integers(0, len(forms), len(rows)).tolist(), forms)
    same = rows[(changed.gather(rows) == serial.gather(rows)).to_numpy()]
    return _rewrite(changed, same, [0] * len(same), forms)


def _register_numbers(rng: Rng, certificates: Certificates) -> pl.Series:
    number = pl.Series(rng.integers(1, 99_999, len(certificates))).cast(pl.String).str.zfill(5)
    head = pl.Series(["", "H ", "CH ", "CS "]).gather(certificates.era + (certificates.year >= 2018))
    tail = pl.Series([" QSDĐ", "", ""]).gather(certificates.era)
    return head + number + tail


# --- parcels ---------------------------------------------------------------------------------------------------------

_USES = ("ONT", "ODT", "LUC", "BHK", "CLN", "RSX", "NTS", "NHK", "T")
_USE_SHARES = {0: (0.1, 0, 0.42, 0.17, 0.1, 0.12, 0.02, 0.03, 0.04), 1: (0, 0.5, 0.12, 0.12, 0.2, 0.02, 0.02, 0, 0.02)}
_AREAS = np.array([400, 160, 650, 500, 900, 9000, 1500, 3000, 350])
_SHEET = 150
_BASE32 = np.frombuffer(b"0123456789bcdefghjkmnpqrstuvwxyz", dtype="S1")


def geohash(latitude: Floats, longitude: Floats, length: int = 12) -> pl.Series:
    """GeoHash of points: the form of the national parcel code.

    >>> geohash(np.array([57.64911]), np.array([10.40744]), 11)[0]
    'u4pruydqqvj'
    """
    bits = length * 5
    x = np.floor((longitude + 180) / 360 * 2.0 ** ((bits + 1) // 2)).astype(np.uint64)
    y = np.floor((latitude + 90) / 180 * 2.0 ** (bits // 2)).astype(np.uint64)
    code = np.zeros(len(x), dtype=np.uint64)
    for k in range(bits):
        source = y if (bits - 1 - k) % 2 else x
        depth = (bits - 1 - k) // 2
        size = bits // 2 if source is y else (bits + 1) // 2
        code |= ((source >> np.uint64(size - 1 - depth)) & np.uint64(1)) << np.uint64(k)
    chars = [
        _BASE32[((code >> np.uint64(5 * (length - 1 - k))) & np.uint64(31)).astype(np.int64)] for k in range(length)
    ]
    return pl.Series(np.stack(chars, axis=1).view(f"S{length}").ravel().astype(str).tolist())


def _numbering(rng: Rng, old: Ints) -> tuple[Ints, Ints]:
    """Map sheet and parcel number, no pair twice within an old commune."""
    order = np.lexsort([rng.random(len(old)), old])
    start = np.searchsorted(old[order], old[order], side="left")
    rank = np.empty(len(old), dtype=np.int64)
    rank[order] = np.arange(len(old)) - start
    return rank // _SHEET + 1, rank % _SHEET + 1


def _land_use(rng: Rng, urban: Flags) -> Ints:
    drawn = [rng.choice(len(_USES), len(urban), p=np.array(_USE_SHARES[k]) / sum(_USE_SHARES[k])) for k in (0, 1)]
    return np.where(urban, drawn[1], drawn[0])


def make_parcels(
    rng: Rng, places: Places, certificates: Certificates, layout: Layout, ways: tuple[Ints, Ints], catalogue: Catalogue
) -> pl.DataFrame:
    """The columns of each parcel, by certificate; `order` is its place in the register."""
    at = np.repeat(np.arange(len(certificates)), certificates.parcels)
    size = len(at)
    away = pick(rng, catalogue.rate("parcel_away"), np.ones(size))
    hamlet = np.where(away, _elsewhere(rng, places, certificates.hamlet[at]), certificates.hamlet[at])
    commune = places.hamlet_commune[hamlet]
    sheet, number = _numbering(rng, places.hamlet_old[hamlet])
    use = _land_use(rng, places.hamlet_urban[hamlet])
    area = np.round(_AREAS[use] * rng.lognormal(0, 0.5, size), 1)
    spread = rng.normal(0, 0.03, (2, size))
    code = geohash(places.new_latitude[commune] + spread[0], places.new_longitude[commune] + spread[1])
    newest = pl.Series(certificates.year[at] >= 2025)
    old_code, new_code = (
        pl.Series(codes).gather(rows)
        for codes, rows in ((places.old_codes, places.hamlet_old[hamlet]), (places.new_codes, commune))
    )
    wrong = pl.Series(pick(rng, catalogue.rate("commune_vintage_wrong"), np.ones(size)))
    labels = pl.Series(["before-2025-07-01", "from-2025-07-01"])
    address = places.address(hamlet, rng.choice([1, 5, 4], size, p=[0.3, 0.55, 0.15]))
    scale = np.where(places.hamlet_urban[hamlet], 500, np.where(use == _USES.index("RSX"), 10_000, 2_000))
    return pl.DataFrame(
        {
            "parcel_code": code,
            "commune_code": new_code.zip_with(newest != wrong, old_code),
            "commune_code_vintage": labels.gather(newest.cast(pl.Int64)),
            "map_sheet_no": pl.Series(sheet).cast(pl.String),
            "parcel_no": pl.Series(number).cast(pl.String),
            "map_scale": "1/" + pl.Series(scale).cast(pl.String),
            "area_m2": pl.Series(area).cast(pl.String),
            "land_use_code": pl.Series(_USES).gather(use),
            "parcel_address": apply_letters(address, at, layout, ways),
            "order": places.hamlet_old[hamlet] * 10_000_000 + sheet * 1_000 + number,
        }
    )


def _elsewhere(rng: Rng, places: Places, hamlet: Ints) -> Ints:
    """Another hamlet, of another commune where there is more than one."""
    target = places.draw_hamlets(rng, len(hamlet))
    for _ in range(20):
        same = places.hamlet_commune[target] == places.hamlet_commune[hamlet]
        target[same] = places.draw_hamlets(rng, int(same.sum()))
    return target


# --- lines and truth -------------------------------------------------------------------------------------------------


def _threads(certificates: Certificates, papers: Papers, order: Ints) -> tuple[Ints, Ints]:
    """Paper and parcel of each line, in the order of the register."""
    count = certificates.parcels[papers.certificate]
    paper = np.repeat(np.arange(len(papers.certificate)), count)
    first = np.cumsum(certificates.parcels) - certificates.parcels
    within = np.arange(len(paper)) - np.repeat(np.cumsum(count) - count, count)
    parcel = first[papers.certificate[paper]] + within
    rank = np.lexsort([paper, order[parcel]])
    return paper[rank], parcel[rank]


COLUMNS = (
    "owner_record_id", "parcel_code", "commune_code", "commune_code_vintage", "map_sheet_no", "parcel_no", "map_scale",
    "area_m2", "land_use_code", "parcel_address", "certificate_serial", "certificate_no", "certificate_date", "owner_kind",
    "owner_role", "owner_name", "owner_birth", "owner_sex", "owner_id_no", "owner_id_date", "owner_address",
    "co_owner_name", "co_owner_birth", "co_owner_sex", "co_owner_id_no",
)  # fmt: skip


def make_lines(
    papers: Papers, certificates: Certificates, parcels: pl.DataFrame, issued: pl.DataFrame
) -> tuple[pl.DataFrame, Ints]:
    """The land register, and the paper each line copies."""
    paper, parcel = _threads(certificates, papers, parcels["order"].to_numpy())
    ids = "DK" + pl.Series("owner_record_id", np.arange(1, len(paper) + 1)).cast(pl.String).str.zfill(8)
    lines = pl.concat(
        [
            ids.alias("owner_record_id").to_frame(), parcels.drop("order")[parcel], issued[papers.certificate[paper]],
            papers.frame[paper],
        ],
        how="horizontal",
    )  # fmt: skip
    return lines.select(COLUMNS), paper


def make_truth(
    citizen: pl.Series, certificates: Certificates, papers: Papers, mentions: Mentions, paper: Ints,
    ids: pl.Series, bodies: Ints,
) -> tuple[pl.DataFrame, pl.DataFrame]:  # fmt: skip
    """Who is named on each line, and which errors were written there."""
    held = papers.held[paper]
    body = certificates.kind[papers.certificate[paper]] >= ORGANISATION
    line, slot = np.nonzero((held >= 0) | (body[:, None] & (np.arange(SLOTS) == 0)))
    mention = held[line, slot]
    person = np.where(mention >= 0, mentions.person[mention], 0)
    group = bodies[papers.certificate[paper[line]]]
    is_person = pl.Series(mention >= 0)
    name = pl.Series(person).cast(pl.String).str.zfill(8)
    truth = pl.DataFrame(
        {
            "owner_record_id": ids.gather(line),
            "role": pl.Series(ROLES).gather(slot),
            "kind": pl.Series(["organisation", "person"]).gather((mention >= 0).astype(np.int64)),
            "person": ("P" + name).zip_with(is_person, "O" + pl.Series(group).cast(pl.String).str.zfill(8)),
            "citizen_id": citizen.gather(person).zip_with(is_person, nothing(len(line))),
        }
    )
    flags = {
        error: pl.Series(flag).gather(np.where(mention >= 0, mention, 0)) & is_person
        for error, flag in mentions.errors.items()
    }
    return truth, truth.select("owner_record_id", "role").with_columns(**flags).filter(is_person)
