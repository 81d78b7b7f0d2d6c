"""A population with families over five generations, and who of it is in the register.

Rules
- Couples marry within a generation, mostly within a commune; children have the father's surname and sometimes his
  middle word; some sons bear his whole name; some births are twins. Everyone dies by an age law (Gompertz), parents
  after their last child is born.
- The tree holds more people than the register: those dead for long, those who left for good. `enrol` says who is in it.
- Twelve digits: province of birth, century and sex, year, six random digits. Nine digits: province group, six random.

>>> tree = grow(stream(1, "example"), make_places(stream(1, "places"), 2000, "mixed"), 2000, Catalogue.load())
>>> bool((tree.birth[tree.father[tree.father >= 0]] < tree.birth[tree.father >= 0]).all())
True
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from linkage.synth import names
from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import Flags, Floats, Ints, Rng, allot, pick_within, stream
from linkage.synth.places import Places, make_places

__all__ = ["Tree", "enrol", "grow", "make_places", "stream"]

TODAY = 2025
_GENERATIONS = 5
_FOUNDERS_A_CITIZEN, _SPARE = 0.158, 1.06
_DEATH_RECORDED_FROM = 2016
_GOMPERTZ_B, _GOMPERTZ_MEN, _GOMPERTZ_WOMEN = 0.09, 7e-5, 4e-5
_OTHER_BIRTHPLACES = {46: 0.25, 42: 0.15, 40: 0.15, 48: 0.1, 79: 0.1, 38: 0.08, 1: 0.07, 66: 0.06, 36: 0.04}
_OTHER_CMND = np.array([191, 183, 182, 201, 24, 172, 12, 241])
_LINEAGE_MEN = ["Đình", "Hữu", "Bá", "Công", "Quang", "Xuân", "Trọng", "Đức", "Viết", "Thế", "Khắc", "Duy", "Ngọc"]


@dataclass
class Tree:
    """Everyone who ever matters, by number; -1 means nobody."""

    male: Flags
    birth: Ints
    day: Ints
    father: Ints
    mother: Ints
    spouse: Ints
    household: Ints
    hamlet: Ints
    birth_hamlet: Ints
    minority: Flags
    left: Flags
    name: Ints
    death: Ints
    wedding: Ints

    def __len__(self) -> int:
        return len(self.birth)

    @property
    def alive(self) -> Flags:
        """Living today."""
        return self.death > TODAY


def _people(male: Flags, birth: Ints, day: Ints, hamlet: Ints, minority: Flags, **known: Ints) -> Tree:
    size = len(birth)
    nobody = np.full(size, -1, dtype=np.int64)
    given = {"father": nobody, "mother": nobody, "name": np.zeros((size, 4), dtype=np.int64), **known}
    return Tree(
        male=male, birth=birth, day=day, spouse=nobody.copy(), household=nobody.copy(), hamlet=hamlet,
        birth_hamlet=hamlet.copy(), minority=minority, left=np.zeros(size, dtype=bool), death=nobody.copy(),
        wedding=nobody.copy(), **given,
    )  # fmt: skip


def _join(first: Tree, second: Tree) -> Tree:
    return Tree(*(np.concatenate([getattr(first, f.name), getattr(second, f.name)]) for f in fields(Tree)))


def _founders(rng: Rng, places: Places, size: int) -> Tree:
    hamlet = places.draw_hamlets(rng, size)
    minority = rng.random(size) < places.minority_share[places.hamlet_commune[hamlet]]
    male, birth = rng.random(size) < 0.5, rng.integers(1906, 1936, size)
    people = _people(male, birth, rng.integers(0, 365, size), hamlet, minority)
    people.name = names.draw_names(rng, names.surnames(rng, minority), male, birth, minority)
    lineage = np.array([names.CODE[word] for word in _LINEAGE_MEN])[rng.integers(0, len(_LINEAGE_MEN), size)]
    people.name[:, 1] = np.where(male & ~minority & (rng.random(size) < 0.3), lineage, people.name[:, 1])
    return people


def _marry(rng: Rng, tree: Tree, places: Places, start: int) -> tuple[Ints, Ints, Ints]:
    """Husbands, wives and wedding years of one generation, whose members begin at `start`."""
    who = np.arange(start, len(tree))
    age = np.where(tree.male[who], rng.normal(26, 4, len(who)), rng.normal(23, 3.5, len(who))).clip(18, 40)
    wedding = (tree.birth[who] + age).astype(np.int64)
    fit = (wedding <= TODAY) & ~tree.left[who] & (rng.random(len(who)) < 0.93)
    who, wedding = who[fit], wedding[fit]
    home = places.hamlet_commune[tree.hamlet[who]]
    stays = tree.male[who] | (rng.random(len(who)) < 0.85)
    meets = np.where(stays, home, places.hamlet_commune[places.draw_hamlets(rng, len(who))])
    meets = meets * 2 + tree.minority[who]
    order = np.lexsort([wedding + rng.normal(0, 1.5, len(who)), meets])
    who, wedding, meets = who[order], wedding[order], meets[order]
    men, women = tree.male[who], ~tree.male[who]
    husbands, wives, years = _by_rank(who[men], wedding[men], meets[men], who[women], meets[women])
    strangers = (tree.father[husbands] < 0) | (tree.father[husbands] != tree.father[wives])
    near = np.abs(tree.birth[husbands] - tree.birth[wives]) <= 16
    kept = strangers & near
    return husbands[kept], wives[kept], np.maximum(years[kept], tree.birth[wives[kept]] + 18)


def _by_rank(men: Ints, years: Ints, men_at: Ints, women: Ints, women_at: Ints) -> tuple[Ints, Ints, Ints]:
    left = pl.DataFrame({"at": men_at, "man": men, "year": years}).with_columns(rank=pl.int_range(pl.len()).over("at"))
    right = pl.DataFrame({"at": women_at, "woman": women}).with_columns(rank=pl.int_range(pl.len()).over("at"))
    both = left.join(right, on=["at", "rank"], how="inner", maintain_order="left")
    return both["man"].to_numpy(), both["woman"].to_numpy(), both["year"].to_numpy()


def _settle(rng: Rng, tree: Tree, husbands: Ints, wives: Ints, years: Ints, start: int) -> None:
    """Households and homes after the weddings of a generation."""
    own = np.arange(start, len(tree))
    father = tree.father[start:]
    tree.household[start:] = np.where(father >= 0, tree.household[father], own)
    tree.spouse[husbands], tree.spouse[wives] = wives, husbands
    tree.wedding[husbands], tree.wedding[wives] = years, years
    leaves = (rng.random(len(husbands)) < 0.72) | (tree.father[husbands] < 0)
    tree.household[husbands] = np.where(leaves, husbands, tree.household[husbands])
    tree.household[wives] = tree.household[husbands]
    tree.hamlet[wives] = tree.hamlet[husbands]


def _children(rng: Rng, tree: Tree, husbands: Ints, wives: Ints, years: Ints, twins: float) -> Tree:
    mean = np.interp(years, [1930, 1960, 1975, 1985, 1995, 2005], [4.4, 4.4, 4.0, 3.4, 2.6, 2.25])
    count = rng.poisson(mean)
    couple = np.repeat(np.arange(len(husbands)), count)
    first = np.repeat(np.cumsum(count) - count, count)
    later = np.arange(len(couple)) > first
    twin = later & (rng.random(len(couple)) < twins)
    gap = np.where(
        twin, 0, np.where(later, rng.choice([2, 2, 2, 3, 3, 4, 5], len(couple)), rng.integers(1, 3, len(couple)))
    )
    total = np.cumsum(gap)
    birth = years[couple] + total - (total - gap)[first]
    day = rng.integers(0, 365, len(couple))
    day[1:] = np.where(twin[1:], day[:-1], day[1:])
    kept = (birth <= TODAY) & (birth - tree.birth[wives[couple]] <= 46)
    father, mother, birth, day = husbands[couple][kept], wives[couple][kept], birth[kept], day[kept]
    male = rng.random(len(birth)) < np.where(birth > 2000, 0.525, 0.512)
    minority = tree.minority[father]
    return _people(male, birth, day, tree.hamlet[father], minority, father=father, mother=mother)


def _christen(rng: Rng, tree: Tree, children: Tree, equal: float) -> None:
    """Names of children: the father's surname, perhaps his middle word, perhaps his whole name."""
    size = len(children)
    fathers = tree.name[children.father]
    drawn = names.draw_names(rng, fathers[:, 0], children.male, children.birth, children.minority)
    drawn[:, 1] = np.where(children.male & ~children.minority & (rng.random(size) < 0.35), fathers[:, 1], drawn[:, 1])
    both = ~children.minority & (drawn[:, 2] == 0) & (rng.random(size) < 0.02)
    drawn[both, 2], drawn[both, 1] = drawn[both, 1], tree.name[children.mother[both], 0]
    for back in (1, 2):
        same = np.zeros(size, dtype=bool)
        same[back:] = (drawn[back:] == drawn[:-back]).all(axis=1) & (children.father[back:] == children.father[:-back])
        others = names.draw_names(
            rng, drawn[same, 0], children.male[same], children.birth[same], children.minority[same]
        )
        drawn[same, 3] = others[:, 3]
    chance = children.male & (drawn == fathers).all(axis=1)
    drawn[chance, 3] = names.draw_names(
        rng, drawn[chance, 0], children.male[chance], children.birth[chance], children.minority[chance]
    )[:, 3]
    namesake = pick_within(rng, equal, np.ones(size), children.male)
    drawn[namesake] = fathers[namesake]
    children.name = drawn


def _deaths(rng: Rng, tree: Tree) -> Ints:
    """Year of death; parents live to the birth of their last child."""
    last = tree.birth + 1
    for parent in (tree.father, tree.mother):
        known = parent >= 0
        np.maximum.at(last, parent[known], tree.birth[known])
    rate = np.where(tree.male, _GOMPERTZ_MEN, _GOMPERTZ_WOMEN) / _GOMPERTZ_B
    lived = np.exp(_GOMPERTZ_B * (last - tree.birth))
    age = np.log(lived + rng.exponential(size=len(tree)) / rate) / _GOMPERTZ_B
    return np.asarray(tree.birth + age, dtype=np.int64)


def _grow_once(rng: Rng, places: Places, founders: int, catalogue: Catalogue) -> Tree:
    tree, start = _founders(rng, places, founders), 0
    for _ in range(_GENERATIONS):
        husbands, wives, years = _marry(rng, tree, places, start)
        _settle(rng, tree, husbands, wives, years, start)
        children = _children(rng, tree, husbands, wives, years, catalogue.rate("twins"))
        _christen(rng, tree, children, catalogue.rate("equal_names_father_son"))
        children.left = (children.birth >= 1955) & (rng.random(len(children)) < 0.16)
        start, tree = len(tree), _join(tree, children)
    own = np.arange(start, len(tree))
    tree.household[start:] = np.where(tree.father[start:] >= 0, tree.household[tree.father[start:]], own)
    tree.death = _deaths(rng, tree)
    return tree


def grow(rng: Rng, places: Places, citizens: int, catalogue: Catalogue) -> Tree:
    """A tree with a few more living people than the register will hold."""
    founders = max(60, int(citizens * _FOUNDERS_A_CITIZEN))
    while True:
        tree = _grow_once(rng, places, founders, catalogue)
        at_home = (tree.alive & ~tree.left).sum()
        if at_home >= citizens * _SPARE:
            return tree
        founders = int(founders * 1.05 * citizens * _SPARE / max(at_home, 1)) + 10


# --- the register ----------------------------------------------------------------------------------------------------


def enrol(rng: Rng, tree: Tree, mentions: Floats, citizens: int, catalogue: Catalogue) -> Flags:
    """Who is in the register: exactly `citizens` people, with the declared shares of named owners absent."""
    owner, alive = mentions > 0, tree.alive
    inside = alive & ~tree.left
    dead_owner = owner & ~alive
    died = tree.death + rng.normal(0, 2, len(tree))
    share = catalogue.rate("deceased_absent")
    absent = allot(rng, mentions[dead_owner], [share], latent=died[dead_owner]) == 0
    cutoff = died[dead_owner][absent].max(initial=_DEATH_RECORDED_FROM)
    inside |= ~alive & ~tree.left & ~owner & (died > cutoff)
    inside[np.flatnonzero(dead_owner)[~absent]] = True
    inside &= ~_absent_alive(rng, tree, mentions, catalogue)
    return _trim(rng, inside, owner, tree, citizens)


def _absent_alive(rng: Rng, tree: Tree, mentions: Floats, catalogue: Catalogue) -> Flags:
    """Living owners outside the register: those who left, and as many more as the share asks for."""
    there = (mentions > 0) & tree.alive & ~tree.left
    gone = mentions[tree.alive & tree.left].sum()
    wanted = catalogue.rate("owner_not_in_register") * mentions[tree.alive].sum() - gone
    return pick_within(rng, max(wanted, 0) / max(mentions[there].sum(), 1), mentions, there)


def _trim(rng: Rng, inside: Flags, owner: Flags, tree: Tree, citizens: int) -> Flags:
    over = int(inside.sum()) - citizens
    able = np.flatnonzero((~owner & inside) if over > 0 else (~owner & ~inside & ~tree.left))
    rank = rng.random(len(able)) if over > 0 else -tree.death[able] + rng.random(len(able))
    inside[able[np.argsort(rank, kind="stable")][: abs(over)]] = over < 0
    return inside


@dataclass(frozen=True)
class Numbers:
    """Identity numbers of everyone, and what the register shows of them."""

    citizen: Ints
    former: Ints
    earlier: Ints


def unique_tails(rng: Rng, prefix: Ints, digits: int) -> Ints:
    """`prefix` with `digits` random digits behind, no number twice; a full prefix overflows into the next one."""
    scale = 10**digits
    order = np.lexsort([rng.random(len(prefix)), prefix])
    grouped = prefix[order]
    rank = np.arange(len(prefix)) - np.searchsorted(grouped, grouped, side="left")
    tails = rng.permutation(scale)
    number = np.empty(len(prefix), dtype=np.int64)
    number[order] = (grouped + rank // scale) * scale + tails[(rank + grouped * 7919) % scale]
    return number


def issue_numbers(rng: Rng, tree: Tree, places: Places) -> Numbers:
    """Twelve digits for all; nine digits, and an earlier nine, for those old enough (-1 for the others)."""
    size = len(tree)
    at_home = np.where(places.hamlet_born_044[tree.birth_hamlet], 44, 45)
    away = rng.choice(list(_OTHER_BIRTHPLACES), size=size, p=list(_OTHER_BIRTHPLACES.values()))
    moved = rng.random(size) < 0.04
    province = np.where(moved, away, at_home)
    century_sex = np.where(tree.birth >= 2000, 2, 0) + ~tree.male
    citizen = unique_tails(rng, province * 1000 + century_sex * 100 + tree.birth % 100, 6)
    return Numbers(citizen, *_former_numbers(rng, tree, places))


def _former_numbers(rng: Rng, tree: Tree, places: Places) -> tuple[Ints, Ints]:
    """The nine digits of those old enough, and the number some had before."""
    held = np.flatnonzero((tree.birth < 2003) & (tree.death > 1976))
    size = len(held)
    issued = np.where(places.hamlet_born_044[tree.hamlet[held]], 194, 197)
    strange = _OTHER_CMND[rng.integers(0, len(_OTHER_CMND), (2, size))]
    group = np.where(rng.random(size) < 0.02, strange[0], issued)
    number = unique_tails(rng, np.concatenate([group, strange[1]]), 6)
    former, earlier = (np.full(len(tree), -1, dtype=np.int64) for _ in range(2))
    former[held], earlier[held] = number[:size], number[size:]
    return former, earlier


def digits(numbers: Ints, width: int) -> pl.Series:
    """Numbers as text of a fixed width; null where there is none."""
    text = pl.Series(numbers).cast(pl.String).str.zfill(width)
    return text.zip_with(pl.Series(numbers >= 0), pl.Series([None], dtype=pl.String).new_from_index(0, len(numbers)))
