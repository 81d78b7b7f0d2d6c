"""Who holds which land: certificates, their dates, their kinds, and the people named on them.

Rules
- A certificate has an era (1993-2003, 2004-2014, later), one or more parcels, a kind, and up to five people.
- Holders are couples and single adults, some far more active than others, so that one owner is named several times.
- Whoever is named was 22 to 75 and alive on the day of issue. The share of mentions of people dead today is the
  catalogue's, spread over the eras as 30 : 12 : 3.
- Co-owners are siblings or heirs of one father, else spouses.

>>> KINDS
('individual', 'couple', 'household', 'co_ownership', 'organisation', 'community', 'religious_body')
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import Flags, Floats, Ints, Pool, Rng, allot, pick, pick_within
from linkage.synth.places import Places
from linkage.synth.population import TODAY, Tree

KINDS = ("individual", "couple", "household", "co_ownership", "organisation", "community", "religious_body")
INDIVIDUAL, COUPLE, HOUSEHOLD, CO_OWNERSHIP, ORGANISATION, COMMUNITY, RELIGIOUS = range(7)
ERAS = ((1993, 2003), (2004, 2014), (2015, TODAY))
SLOTS = 5
LINES_A_CITIZEN = 1.55
_MORE_PARCELS = (1.6, 0.6, 0.15)
_DEAD_WEIGHTS = np.array([30.0, 12.0, 3.0])
_YOUNGEST, _OLDEST = 22, 75
_OWNING_COUPLES, _OWNING_SINGLES = 0.85, 0.35
_HEIRS = 0.35
_WIFE_FIRST = 0.15


@dataclass
class Certificates:
    """One row a certificate; `people` holds the members of the tree it names, -1 beyond the last."""

    kind: Ints
    era: Ints
    year: Ints
    parcels: Ints
    people: Ints
    two_lines: Flags
    heirs: Flags
    hamlet: Ints
    changed: Flags

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def named(self) -> Ints:
        """Number of people named."""
        return np.asarray((self.people >= 0).sum(axis=1))


@dataclass(frozen=True)
class _Holders:
    """Pools to draw from: couples by their husband, and persons; by whether death has struck."""

    couples_alive: Pool
    couples_struck: Pool
    persons_alive: Pool
    persons_dead: Pool


def _holders(rng: Rng, tree: Tree) -> _Holders:
    active = rng.gamma(1.6, size=len(tree)) + 0.05
    husband = tree.male & (tree.spouse >= 0)
    single = (tree.spouse < 0) & (TODAY - tree.birth >= 30) & ~tree.left & (rng.random(len(tree)) < _OWNING_SINGLES)
    owning = husband & (rng.random(len(tree)) < _OWNING_COUPLES)
    unit = np.where(tree.male, np.arange(len(tree)), np.where(tree.spouse >= 0, tree.spouse, np.arange(len(tree))))
    share = np.where(tree.male, 1.0, 0.4) * active[unit] * np.where(single, 0.7, 1.0)
    person = owning[unit] | single
    struck = owning & ~(tree.alive & tree.alive[tree.spouse])
    return _Holders(
        *(_pool(tree, who, active) for who in (owning & ~struck, struck)),
        *(_pool(tree, who, share) for who in (person & tree.alive, person & ~tree.alive)),
    )


def _pool(tree: Tree, who: Flags, weights: Floats) -> Pool:
    members = np.flatnonzero(who)
    return Pool.of(members, tree.birth[members], weights[members])


def _frame(rng: Rng, lines: int, catalogue: Catalogue) -> tuple[Ints, Ints, Ints, Ints]:
    """Kind, era, year and number of parcels of enough certificates for that many lines."""
    eras = catalogue.rates("era_1993_2003", "era_2004_2014")
    mix = np.array([*eras, 1 - sum(eras)])
    couples = catalogue.rate("kind_couple") * catalogue.rate("couple_two_lines")
    per_certificate = (mix * (1 + np.array(_MORE_PARCELS))).sum() * (
        1 + couples + catalogue.rate("kind_co_ownership") * 0.8
    )
    count = max(10, round(lines / per_certificate))
    era = allot(rng, np.ones(count), eras)
    parcels = 1 + rng.poisson(np.array(_MORE_PARCELS)[era])
    bounds = np.array(ERAS)
    year = rng.integers(bounds[era, 0], bounds[era, 1] + 1)
    mixture = catalogue.rates(
        "kind_individual",
        "kind_couple",
        "kind_household",
        "kind_co_ownership",
        "organisation",
        "community",
        "religious_body",
    )
    return np.minimum(allot(rng, parcels, mixture), RELIGIOUS), era, year, parcels


def _draw_people(rng: Rng, tree: Tree, holders: _Holders, year: Ints, both: Flags, dead: Flags) -> Ints:
    """The first person of each certificate (the husband where both are named); -1 where none fits."""
    chosen = np.full(len(year), -1, dtype=np.int64)
    cases = (
        (both & ~dead, holders.couples_alive, True), (both & dead, holders.couples_struck, True),
        (~both & ~dead, holders.persons_alive, False), (~both & dead, holders.persons_dead, False),
    )  # fmt: skip
    for where, pool, couple in cases:
        open_rows = np.flatnonzero(where)
        for _ in range(12):
            found = pool.draw(rng, year[open_rows] - _OLDEST, year[open_rows] - _YOUNGEST)
            fit = (found >= 0) & _fits(tree, found, year[open_rows], couple=couple)
            chosen[open_rows[fit]] = found[fit]
            open_rows = open_rows[~fit]
    return chosen


def _fits(tree: Tree, found: Ints, year: Ints, *, couple: bool) -> Flags:
    fit = tree.death[found] > year
    if couple:
        fit &= (tree.death[tree.spouse[found]] > year) & (tree.wedding[found] <= year)
    return np.asarray(fit)


def _fill(rng: Rng, tree: Tree, kind: Ints, year: Ints, first: Ints, both: Flags) -> tuple[Ints, Flags]:
    """All people of each certificate, and which ones are heirs named with their dead father."""
    people = np.full((len(kind), SLOTS), -1, dtype=np.int64)
    people[:, 0] = first
    people[both, 1] = np.where(first[both] >= 0, tree.spouse[first[both]], -1)
    shared = (kind == CO_OWNERSHIP) & (first >= 0)
    wanted = rng.integers(2, 5, len(kind))
    last = first.copy()
    for slot in (1, 2, 3):
        following = np.minimum(last + 1, len(tree) - 1)
        sibling = shared & (wanted > slot) & (tree.father[first] >= 0) & (tree.father[following] == tree.father[first])
        sibling &= (following > last) & (tree.birth[following] <= year - 16) & (tree.death[following] > year)
        people[sibling, slot], last = following[sibling], np.where(sibling, following, last)
    alone = shared & (people[:, 1] < 0)
    spouse = tree.spouse[first]
    people[alone, 1] = np.where(
        (spouse >= 0) & (tree.death[spouse] > year) & (tree.wedding[first] <= year), spouse, -1
    )[alone]
    father = tree.father[first]
    heirs = shared & ~alone & (father >= 0) & (tree.death[father] <= year) & (rng.random(len(kind)) < _HEIRS)
    people[heirs, 1:] = people[heirs, :-1]
    people[heirs, 0] = father[heirs]
    return people, heirs


def _dead_share(tree: Tree, people: Ints, weight: Ints, era: Ints) -> Floats:
    named = people >= 0
    dead = named & ~tree.alive[people]
    total = np.bincount(era, named.sum(axis=1) * weight, minlength=len(ERAS))
    return np.asarray(np.bincount(era, dead.sum(axis=1) * weight, minlength=len(ERAS)) / np.maximum(total, 1))


def _wanted_dead(catalogue: Catalogue, people: Flags, weight: Ints, era: Ints) -> Floats:
    """Share of dead mentions wanted in each era, so that their mean is the catalogue's."""
    mass = np.bincount(era, people * weight, minlength=len(ERAS)).astype(np.float64)
    mean = float((mass * _DEAD_WEIGHTS).sum() / max(mass.sum(), 1))
    return np.asarray(np.minimum(_DEAD_WEIGHTS * catalogue.rate("owner_deceased") / mean, 0.9))


def make_certificates(rng: Rng, tree: Tree, places: Places, citizens: int, catalogue: Catalogue) -> Certificates:
    """Certificates for a land register of about `LINES_A_CITIZEN` lines a citizen."""
    kind, era, year, parcels = _frame(rng, round(citizens * LINES_A_CITIZEN), catalogue)
    holders = _holders(rng, tree)
    personal = kind < ORGANISATION
    ones = np.ones(len(kind))
    spouse_named = pick_within(rng, catalogue.rate("household_spouse_named"), ones, kind == HOUSEHOLD)
    both = (kind == COUPLE) | spouse_named
    wanted = _wanted_dead(catalogue, personal * (1 + both), parcels, era)
    odds = wanted.copy()
    for _ in range(4):
        dead = np.zeros(len(kind), dtype=bool)
        for k in range(len(ERAS)):
            dead |= pick_within(rng, min(odds[k], 1.0), parcels, era == k)
        first = np.where(personal, _draw_people(rng, tree, holders, year, both, dead), -1)
        people, heirs = _fill(rng, tree, kind, year, first, both)
        odds = np.clip(odds * wanted / np.maximum(_dead_share(tree, people, parcels, era), 1e-6), 0, 1)
    kept = ~personal | (first >= 0)
    home = np.where(first >= 0, tree.hamlet[first], places.draw_hamlets(rng, len(kind)))
    made = Certificates(
        kind, era, year, parcels, people,
        pick_within(rng, catalogue.rate("couple_two_lines"), ones, kind == COUPLE),
        heirs, home, np.zeros(len(kind), dtype=bool),
    )  # fmt: skip
    made = _rows(made, kept)
    made.kind[(made.kind == CO_OWNERSHIP) & (made.named == 1)] = INDIVIDUAL
    made.two_lines |= (made.kind == CO_OWNERSHIP) & ~made.heirs & (rng.random(len(made)) < 0.5) & (made.named > 1)
    made.changed = pick(rng, catalogue.rate("owner_changed"), made.parcels * made.named)
    return made


def _rows(made: Certificates, kept: Flags) -> Certificates:
    return Certificates(*(value[kept] for value in vars(made).values()))


def mention_counts(certificates: Certificates, size: int) -> Floats:
    """How often each member of the tree is named, counted by line."""
    named = certificates.people >= 0
    lines = np.broadcast_to(certificates.parcels[:, None], named.shape)[named]
    return np.bincount(certificates.people[named], lines, minlength=size).astype(np.float64)


def order_spouses(rng: Rng, certificates: Certificates) -> None:
    """On some papers of couples the wife comes first."""
    first = (certificates.kind == COUPLE) & (rng.random(len(certificates)) < _WIFE_FIRST)
    certificates.people[first, 0], certificates.people[first, 1] = (
        certificates.people[first, 1].copy(), certificates.people[first, 0].copy(),
    )  # fmt: skip
