"""Rows whose column has one of many values, on both databases: the list is one parameter."""

import pytest
from sqlalchemy import select

from confirm_api.service.rows import any_of
from confirm_api.store.tables import questions
from tests.confirm_api.service.helpers import ident, question

NAMES = ("one", "two", "three")


@pytest.mark.parametrize(
    ("asked", "found"), [([], []), (["two"], ["two"]), (["one", "three", "four"], ["one", "three"])]
)
def test_rows_are_found_by_any_of_the_values_and_by_none_of_an_empty_list(story, units, asked, found):
    story.post(*(question(name, number) for number, name in enumerate(NAMES, start=1)))
    by_id = select(questions.c.question_id).where(any_of(questions.c.question_id, "ids")).order_by(questions.c.no)
    by_no = select(questions.c.question_id).where(any_of(questions.c.no, "nos")).order_by(questions.c.no)
    with units.begin() as unit:
        numbers = {row.question_id: row.no for row in unit.conn.execute(select(questions))}
        ids = unit.conn.execute(by_id, {"ids": [ident(name) for name in asked]}).scalars().all()
        nos = [numbers.get(ident(name), -1) for name in asked]
        assert ids == [ident(name) for name in found] == unit.conn.execute(by_no, {"nos": nos}).scalars().all()


def test_a_value_is_no_piece_of_the_statement(story, units):
    story.post(question("one", 1))
    with units.begin() as unit:
        query = select(questions.c.no).where(any_of(questions.c.question_id, "ids"))
        assert unit.conn.execute(query, {"ids": ["'; drop table questions; --", '"]', "\\", "{}"]}).all() == []
