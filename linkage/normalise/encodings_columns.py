"""Whole columns in the letters their writers meant: `encodings.repair` for many values at once.

Rules
- Equal to `repair` value by value; only values it would change are looked at one by one.
- Left alone: proper letters and ASCII signs whose words are all Vietnamese or have no vowel. Blanks of other kinds,
  invisible characters and letters in two parts are put right for the whole column, unless they may be bytes of
  letters seen through a wrong code page.
- Words are judged once each.

>>> repair_columns(pl.Series(["Bà  Lê Thị Hoa", "NguyÔn V¨n Hïng"])).rows()
[('Bà  Lê Thị Hoa', 'unicode', False), ('Nguyễn Văn Hùng', 'tcvn3', True)]
"""

from __future__ import annotations

from typing import Final

import polars as pl

from linkage.normalise.encodings import BLANKS, INVISIBLE, is_odd_word, repair
from linkage.normalise.encodings_legacy import MOJIBAKE_SIGN
from linkage.normalise.encodings_syllables import VIETNAMESE_LETTERS

_PLAIN: Final = f"^[ -~\n{VIETNAMESE_LETTERS}]*$"
_WORD: Final = r"[^\s!-/:-@\[-`{-~]+"
_OTHER_BLANKS: Final = f"[{BLANKS}]"
_NO_CHARACTERS: Final = f"[{INVISIBLE}]"


def words_that_are(words: pl.Series, *, odd: bool) -> pl.Series:
    """The distinct words that `repair` may change (`odd`), or those it leaves alone."""
    return pl.Series([w for w in words.unique().to_list() if w and is_odd_word(w) is odd], dtype=pl.String)


def has_odd_word(values: pl.Series) -> pl.Series:
    """True for texts with a word that is no Vietnamese syllable, with or without its marks."""
    words = (
        values.str.extract_all(_WORD).alias("word").to_frame().with_row_index("row").explode("word", empty_as_null=True)
    )
    odd = words_that_are(words["word"], odd=True)
    rows = words.filter(pl.col("word").is_in(odd.implode()))["row"].unique() if len(odd) else odd.cast(pl.UInt32)
    return pl.repeat(value=False, n=len(values), dtype=pl.Boolean, eager=True).scatter(rows, values=True)


def _tidied(values: pl.Series) -> pl.Series:
    """Ordinary blanks, no invisible characters, letters in one part."""
    tidy = values.str.replace_all(_OTHER_BLANKS, " ").str.replace_all(_NO_CHARACTERS, "")
    return tidy.str.normalize("NFC")


def repair_columns(values: pl.Series) -> pl.DataFrame:
    """Row by row the `text` as meant, its `encoding`, and `odd` where it was looked at; null stays null."""
    plain = values.str.contains(_PLAIN)
    tidy = values.zip_with(plain, _tidied(values)) if not plain.all() else values
    safe = plain | (tidy.str.contains(_PLAIN) & ~values.str.contains(MOJIBAKE_SIGN.pattern))
    odd = (~safe | has_odd_word(tidy)).fill_null(value=False)
    rows = odd.arg_true()
    read = [repair(text) for text in values.gather(rows).to_list()]
    encoding = pl.repeat("unicode", len(values), dtype=pl.String, eager=True)
    return pl.DataFrame(
        {
            "text": tidy.scatter(rows, pl.Series([r.text for r in read], dtype=pl.String)),
            "encoding": encoding.scatter(rows, pl.Series([r.encoding for r in read], dtype=pl.String)),
            "odd": odd,
        }
    )
