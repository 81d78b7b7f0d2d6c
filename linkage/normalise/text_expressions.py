"""Polars expressions shared by the fields: distinct values, plain text, folded text with its punctuation.

Rules
- A field's table has one row per distinct value, column `raw`; a null keeps its row (join with `nulls_equal=True`).
- *Plain* text is NFKC (full-width digits and no-break blanks become ordinary ones) without invisible characters.
- *Folded with punctuation* is lower-case ASCII that keeps commas, dots, slashes and hyphens: a parser needs them.

>>> folded_with_punctuation(pl.Series(["Thôn 3,\u00a0xã Vĩnh Thuỷ"])).to_list()
['thon 3, xa vinh thuy']
"""

from __future__ import annotations

import polars as pl

INVISIBLE = r"[\u00AD\u034F\u061C\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFE00-\uFE0F\uFEFF\p{Cc}]"


def distinct(values: pl.Series) -> pl.DataFrame:
    """One row per distinct value, as text, in order of first appearance; column `raw`."""
    return values.cast(pl.String).alias("raw").unique(maintain_order=True).to_frame()


def plain(text: pl.Expr) -> pl.Expr:
    """NFKC without invisible characters, single blanks, no blanks at the ends."""
    normal = text.str.normalize("NFKC").str.replace_all(r"[\t\r\n\p{Zl}\p{Zp}]", " ")
    return normal.str.replace_all(INVISIBLE, "").str.replace_all(r"\p{Z}+", " ").str.strip_chars(" ")


def fold_expression(text: pl.Expr) -> pl.Expr:
    """Lower-case ASCII of plain text; punctuation stays, other signs become a blank."""
    bare = text.str.to_lowercase().str.normalize("NFKD").str.replace_all(r"\p{M}", "")
    return bare.str.replace_many(["đ", "ð", "ø", "’", "‘", "–", "—", "−"], ["d", "d", "o", "'", "'", "-", "-", "-"])


def folded_with_punctuation(values: pl.Series) -> pl.Series:
    """`fold_expression` of the plain text of a series."""
    frame = values.cast(pl.String).alias("raw").to_frame()
    return frame.select(fold_expression(plain(pl.col("raw")))).to_series()
