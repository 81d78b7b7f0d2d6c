"""The land register: certificates become papers, papers become lines, and every line keeps its truth.

Rules
- A paper is what one row of the register copies from a certificate: one or two persons in columns, or a free text that
  holds both spouses. A couple in two lines, and co-owners each on a line, give several papers of one certificate.
- A line is a paper on a parcel. Lines stand in the order of the register: old commune, map sheet, parcel.
- Truth names every person on every line, in the order in which the line names them.

>>> ROLES[:3]
('owner', 'co_owner', 'co_owner_2')
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from linkage.synth.draw import Flags, Ints, Rng, allot, pick_within
from linkage.synth.holdings import CO_OWNERSHIP, COUPLE, HOUSEHOLD, KINDS, ORGANISATION, SLOTS, Certificates
from linkage.synth.mentions import Mentions, nothing
from linkage.synth.organisations import Bodies
from linkage.synth.places import ADDRESS_HABITS, NEW_FORM, house_numbers
from linkage.synth.population import digits
from linkage.synth.wording import Layout, apply_letters, person_texts
from linkage.synth.world import World

ROLES = ("owner", *("co_owner" if k == 1 else f"co_owner_{k}" for k in range(1, SLOTS)))
_KIND_WRITTEN = pl.Series([*KINDS[:5], "community", "community"])


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


def _names_columns(texts: pl.Series, held: Ints, free: Flags) -> tuple[pl.Series, pl.Series]:
    """`owner_name` and `co_owner_name` of each paper."""
    columns = {f"p{k}": _gather(texts, held[:, k]) for k in range(SLOTS)}
    frame = pl.DataFrame({**columns, "free": free})
    rest = pl.concat_str([f"p{k}" for k in range(1, SLOTS)], separator=", ", ignore_nulls=True)
    both = pl.concat_str("p0", "p1", ignore_nulls=True)
    done = frame.select(
        owner=pl.when("free").then(both).otherwise("p0"),
        co=pl.when(~pl.col("free") & pl.col("p1").is_not_null()).then(rest),
    )
    return done["owner"], done["co"]


def _roles(world: World, mentions: Mentions, at: Ints, held: Ints) -> pl.Series:
    first = np.where(held[:, 0] >= 0, held[:, 0], 0)
    kind, alone = world.certificates.kind[at], world.certificates.two_lines[at]
    slot, man = mentions.slot[first], world.tree.male[mentions.person[first]]
    labels = pl.Series(["individual", "head", "husband", "wife", "representative", "member"])
    code = np.where(kind == HOUSEHOLD, 1, np.where(kind == COUPLE, np.where(man, 2, 3), 0))
    code = np.where(kind == CO_OWNERSHIP, np.where((slot == 0) | ~alone, 4, 5), code)
    return labels.gather(np.where(kind >= ORGANISATION, 4, code))


def owner_addresses(rng: Rng, world: World, layout: Layout, mentions: Mentions) -> pl.Series:
    """The owner's address on each certificate: old tiers, but the new ones on the newest papers."""
    certificates, places = world.certificates, world.places
    person, size = certificates.kind < ORGANISATION, len(certificates)
    habit = rng.choice(len(ADDRESS_HABITS), size, p=ADDRESS_HABITS)
    old = np.ones(size, dtype=bool)
    newest = -certificates.year[person] + rng.random(person.sum())
    share = 1 - world.catalogue.rate("address_old")
    old[person] = allot(rng, (certificates.parcels * certificates.named)[person], [share], latent=newest) > 0
    text = places.address(certificates.hamlet, np.where(old, habit, NEW_FORM))
    number = house_numbers(rng, places.hamlet_urban[certificates.hamlet])
    missing = pick_within(rng, world.catalogue.rate("address_missing"), certificates.parcels, person)
    mentions.errors["address_old"] = old[mentions.certificate]
    written = apply_letters(number + text, np.arange(size), layout)
    return nothing(size).zip_with(pl.Series(missing), written)


def make_papers(rng: Rng, world: World, layout: Layout, mentions: Mentions, bodies: Bodies) -> Papers:
    """All papers with the owner's columns of the contract."""
    certificates = world.certificates
    texts = person_texts(rng, world, layout, mentions)
    at, held = _held(certificates, mentions)
    owner, co_owner = _names_columns(texts, held, layout.free_text[at])
    number = _gather(mentions.id_no, held[:, 0])
    rows = np.flatnonzero(certificates.kind[at] >= ORGANISATION)
    owner = owner.scatter(rows, bodies.names.gather(bodies.of[at[rows]]))
    number = number.scatter(rows, bodies.tax_codes.gather(bodies.of[at[rows]]))
    co = np.where(layout.hidden[at, 1], -1, held[:, 1])
    addresses = owner_addresses(rng, world, layout, mentions)
    _record_habits(world, layout, mentions)
    frame = pl.DataFrame(
        {
            "owner_kind": _KIND_WRITTEN.gather(certificates.kind[at]),
            "owner_role": _roles(world, mentions, at, held),
            "owner_name": apply_letters(owner, at, layout),
            "owner_birth": _gather(mentions.birth, held[:, 0]),
            "owner_sex": _gather(mentions.sex, held[:, 0]),
            "owner_id_no": number,
            "owner_id_date": _gather(mentions.id_date, held[:, 0]),
            "owner_address": addresses.gather(at),
            "co_owner_name": apply_letters(co_owner, at, layout),
            "co_owner_birth": _gather(mentions.birth, co),
            "co_owner_sex": _gather(mentions.sex, co),
            "co_owner_id_no": _gather(mentions.id_no, co),
        }
    )
    return Papers(at, held, frame, addresses)


def _record_habits(world: World, layout: Layout, mentions: Mentions) -> None:
    at, alive = mentions.certificate, world.tree.alive[mentions.person]
    inside = world.inside[mentions.person]
    mentions.errors.update(
        name_form_glued=layout.glued[at], name_unaccented=layout.unaccented[at], name_legacy_encoding=layout.legacy[at],
        owner_deceased=~alive, deceased_absent=~alive & ~inside, owner_not_in_register=alive & ~inside,
        owner_changed=world.certificates.changed[at],
    )  # fmt: skip


# --- lines and truth ---


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
    "area_m2", "land_use_code", "parcel_address", "certificate_serial", "certificate_no", "certificate_date",
    "owner_kind", "owner_role", "owner_name", "owner_birth", "owner_sex", "owner_id_no", "owner_id_date",
    "owner_address", "co_owner_name", "co_owner_birth", "co_owner_sex", "co_owner_id_no",
)  # fmt: skip


@dataclass(frozen=True)
class Register:
    """The finished tables: lines, who is named on each, and which errors were written there."""

    lines: pl.DataFrame
    truth: pl.DataFrame
    applied: pl.DataFrame


def make_register(
    world: World, papers: Papers, mentions: Mentions, bodies: Bodies, parcels: pl.DataFrame, issued: pl.DataFrame
) -> Register:
    """All lines with their truth."""
    paper, parcel = _threads(world.certificates, papers, parcels["order"].to_numpy())
    ids = "DK" + pl.Series(np.arange(1, len(paper) + 1)).cast(pl.String).str.zfill(8)
    parts = [
        ids.alias("owner_record_id").to_frame(),
        parcels[parcel],
        issued[papers.certificate[paper]],
        papers.frame[paper],
    ]
    lines = pl.concat(parts, how="horizontal").select(COLUMNS)
    body = world.certificates.kind[papers.certificate[paper]] >= ORGANISATION
    held = papers.held[paper]
    line, slot = np.nonzero((held >= 0) | (body[:, None] & (np.arange(SLOTS) == 0)))
    group = bodies.of[papers.certificate[paper[line]]]
    key = pl.DataFrame({"owner_record_id": ids.gather(line), "role": pl.Series(ROLES).gather(slot)})
    truth = key.with_columns(named_truth(world, mentions, held[line, slot], group))
    applied = _applied(key, mentions, held[line, slot], parcels[parcel[line]])
    return Register(lines, truth, applied)


def named_truth(world: World, mentions: Mentions, mention: Ints, group: Ints) -> pl.DataFrame:
    """Kind, person and citizen of each mention; `group` is the body where the mention is -1."""
    person = np.where(mention >= 0, mentions.person[np.maximum(mention, 0)], 0)
    known = digits(np.where((mention >= 0) & world.inside[person], world.numbers.citizen[person], -1), 12)
    names = ("P" + _eight(person)).zip_with(pl.Series(mention >= 0), "O" + _eight(group))
    kind = pl.Series(["organisation", "person"]).gather((mention >= 0).astype(np.int64))
    return pl.DataFrame({"kind": kind, "person": names, "citizen_id": known})


def _eight(numbers: Ints) -> pl.Series:
    return pl.Series(numbers).cast(pl.String).str.zfill(8)


def _applied(key: pl.DataFrame, mentions: Mentions, mention: Ints, parcels: pl.DataFrame) -> pl.DataFrame:
    rows = np.maximum(mention, 0)
    flags = {error: pl.Series(flag).gather(rows) for error, flag in mentions.errors.items()}
    table = key.with_columns(parcels.select("parcel_away", "commune_vintage_wrong"), **flags)
    return table.filter(pl.Series(mention >= 0))
