"""Husband and wife among the persons of owner lines.

Rules
- The first two persons of one line are a couple where the line says so (its kind, its role, a spouse word, a pair such
  as "ông … và bà …"), unless their sexes are known to be equal.
- On a line that says nothing of the kind, a man and a woman who are named first and second are a couple where it is a
  household's or one person's. Both sexes must be known, or told by văn and thị; on a household's line one is enough.
- Co-owners are no couple: on a line of kind `co_ownership` a man and a woman side by side may be brother and sister.
  Nor is anybody one with a child, an heir or a representative.
- Two lines of one certificate and parcel, one person each, are a couple where both say husband, wife or couple.
"""

from __future__ import annotations

from typing import Final

import polars as pl

_SPOUSE_WORDS: Final = ["wife", "husband", "spouse"]
_SPOUSE_ROLES: Final = ["wife", "husband"]
_OTHER_RELATIONS: Final = ["member", "heir", "representative"]
_SHARED: Final = ["co_ownership", "community", "organisation"]
"""Kinds of lines whose persons share a right as strangers may."""
_NO_FAMILY: Final = ["co_ownership", "heirs", "representative"]
"""Forms of a text that speak against a couple where nothing speaks for one."""


def _opposite() -> pl.Expr:
    """False only where both sexes are known and equal."""
    return (pl.col("sex") != pl.col("sex_2")).fill_null(value=True)


def _second(name: str) -> pl.Expr:
    """A field of the next row, which is the second of its line where the rank says so."""
    return pl.col(name).shift(-1).alias(f"{name}_2")


def _guessed_sex(sex: str, name: str) -> pl.Expr:
    """The sex known, else the one văn or thị tells."""
    second = pl.col(name).str.extract(r"^\S+ (van|thi) \S")
    return pl.coalesce(sex, second.replace_strict({"van": "M", "thi": "F"}, default=None, return_dtype=pl.String))


def _said() -> pl.Expr:
    """True where the line calls its first two persons husband and wife."""
    return (
        (pl.col("owner_kind") == "couple")
        | (pl.col("form") == "couple")
        | pl.col("relation_2").is_in(_SPOUSE_WORDS)
        | pl.col("owner_role").is_in(_SPOUSE_ROLES)
    ).fill_null(value=False)


def _family() -> pl.Expr:
    """True where a man and a woman stand on a line of one household or of one person."""
    family = pl.col("owner_kind").fill_null("household").is_in(["household", "individual"])
    first, second = _guessed_sex("sex", "name_folded"), _guessed_sex("sex_2", "name_folded_2")
    # A household's second person is husband or wife of its head even where one of the two sexes is not written.
    half = (pl.col("owner_kind") == "household") & (first.is_null() != second.is_null())
    differ = (first != second).fill_null(value=False) | half.fill_null(value=False)
    return family & ~pl.col("form").is_in(_NO_FAMILY) & differ


def _may_be() -> pl.Expr:
    """False on a line of co-owners."""
    return ~pl.col("owner_kind").is_in(_SHARED).fill_null(value=False)


def _on_one_line(people: pl.DataFrame) -> pl.DataFrame:
    seconds = map(_second, ("mention", "rank", "name_folded", "relation", "sex"))
    named = pl.col("name_folded").is_not_null() & pl.col("name_folded_2").is_not_null()
    two = people.with_columns(seconds).filter((pl.col("rank") == 0) & (pl.col("rank_2") == 1) & named & _may_be())
    other = pl.col("relation_2").is_in(_OTHER_RELATIONS).fill_null(value=False)
    return two.filter(~other & _opposite() & (_said() | _family())).select("mention", partner="mention_2")


def _on_two_lines(people: pl.DataFrame) -> pl.DataFrame:
    says = pl.col("owner_role").is_in(_SPOUSE_ROLES) | (pl.col("owner_kind") == "couple")
    papers = pl.col("parcel_code").is_not_null() & pl.col("serial").is_not_null()
    alone = (pl.col("rank") == 0) & (pl.col("rank").shift(-1).fill_null(0) == 0)
    named = pl.col("name_folded").is_not_null()
    lone = people.filter(alone & named & _may_be() & (says & papers).fill_null(value=False))
    lone = lone.select("mention", "sex", "parcel_code", "serial").filter(pl.len().over("parcel_code", "serial") == 2)
    pair = lone.join(lone, on=["parcel_code", "serial"], suffix="_2").filter(pl.col("mention") < pl.col("mention_2"))
    return pair.filter(_opposite()).select("mention", partner="mention_2")


def couples(people: pl.DataFrame) -> pl.DataFrame:
    """`mention`, `partner` (row numbers), both ways.

    `people`, one row per mention in the order of lines: `rank` on the line, `name_folded` (null for what is no person),
    `relation`, `form`, `owner_kind`, `owner_role`, `sex`, `parcel_code`, `serial`.
    """
    people = people.with_row_index("mention")
    both = pl.concat([_on_one_line(people), _on_two_lines(people)])
    turned = both.select(mention="partner", partner="mention")
    return pl.concat([both, turned]).unique("mention", keep="first", maintain_order=True)
