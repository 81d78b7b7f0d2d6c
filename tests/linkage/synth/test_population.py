from __future__ import annotations

import numpy as np
import pytest

from linkage.synth.catalogue import Catalogue
from linkage.synth.draw import stream
from linkage.synth.places import make_places
from linkage.synth.population import enrol, grow, issue_numbers, unique_tails

SIZE = 8_000


@pytest.fixture(scope="module")
def places():
    return make_places(stream(5, "places"), SIZE, "mixed")


@pytest.fixture(scope="module")
def tree(places):
    return grow(stream(5, "tree"), places, SIZE, Catalogue.load())


def test_couples_are_reciprocal_and_of_two_sexes(tree):
    married = np.flatnonzero(tree.spouse >= 0)
    assert (tree.spouse[tree.spouse[married]] == married).all()
    assert (tree.male[married] != tree.male[tree.spouse[married]]).all()


def test_siblings_do_not_marry(tree):
    married = np.flatnonzero((tree.spouse >= 0) & (tree.father >= 0))
    assert (tree.father[married] != tree.father[tree.spouse[married]]).all()


def test_children_are_born_to_living_parents_of_an_age(tree):
    child = np.flatnonzero(tree.mother >= 0)
    assert np.all(np.isin(tree.birth[child] - tree.birth[tree.mother[child]], range(17, 47)))
    assert (tree.death[tree.mother[child]] >= tree.birth[child]).all()


def test_surnames_come_from_the_father_and_women_keep_theirs(tree):
    child = np.flatnonzero(tree.father >= 0)
    assert (tree.name[child, 0] == tree.name[tree.father[child], 0]).all()


def test_some_sons_bear_the_whole_name_of_their_father(tree):
    sons = np.flatnonzero((tree.father >= 0) & tree.male)
    same = (tree.name[sons] == tree.name[tree.father[sons]]).all(axis=1)
    assert 0.002 < same.mean() < 0.006


def test_twins_share_their_day_of_birth(tree):
    child = np.flatnonzero(tree.mother >= 0)
    twins = (np.diff(tree.mother[child]) == 0) & (np.diff(tree.birth[child] * 400 + tree.day[child]) == 0)
    assert 0.004 < twins.mean() < 0.02


def test_the_pyramid_is_that_of_a_living_province(tree):
    age = 2025 - tree.birth[tree.alive & ~tree.left]
    young, grown, old = (age < 15).mean(), ((age >= 15) & (age < 65)).mean(), (age >= 65).mean()
    assert 0.15 < young < 0.28
    assert 0.58 < grown < 0.74
    assert 0.06 < old < 0.17


def test_the_register_has_exactly_the_citizens_asked_for(tree):
    mentions = np.zeros(len(tree))
    mentions[::7] = 2
    assert enrol(stream(5, "enrol"), tree, mentions, SIZE, Catalogue.load()).sum() == SIZE


def test_twelve_digits_agree_with_sex_and_year(tree, places):
    citizen = issue_numbers(stream(5, "numbers"), tree, places).citizen
    assert len(np.unique(citizen)) == len(tree)
    century_sex, year = citizen // 10**8 % 10, citizen // 10**6 % 100
    assert (1900 + 100 * (century_sex // 2) + year == tree.birth).all()
    assert (century_sex % 2 == ~tree.male).all()
    assert np.isin(citizen // 10**9, [44, 45]).mean() > 0.9


def test_nine_digits_have_the_group_of_the_province(tree, places):
    numbers = issue_numbers(stream(5, "numbers"), tree, places)
    held = numbers.former[numbers.former >= 0]
    assert len(np.unique(held)) == len(held)
    assert np.isin(held // 10**6, [194, 197]).mean() > 0.95
    assert (numbers.former[tree.birth >= 2003] < 0).all()


def test_tails_are_unique_even_where_a_prefix_is_full():
    number = unique_tails(stream(1, "test"), np.full(150, 44), 2)
    assert len(np.unique(number)) == 150
