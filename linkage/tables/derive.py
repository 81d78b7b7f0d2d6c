"""Fields prepared by type, and columns derived from them.

Rules
- `name` and `text` become lower-case words without accents, signs as blanks; a `code` loses its signs altogether.
- A `date` becomes its digits, year first (`YYYYMMDD`), whatever the order and signs it was written with; slips stay,
  for they are evidence. Where only the order can tell day from month, the day comes first.
- A `number` that is none is missing. Empty is missing, never an empty text.
- Letters of other scripts stay; similarity of those counts bytes, not letters.
- A derived column may be made from a field or from a column derived before it.

>>> frame = pl.DataFrame({"born": ["1960-02-01", "1/2/1960", "19600231", "?"], "name": ["Lê  Đức", "O-Neill", "-", ""]})
>>> frame.select(field("born", "date"))["born"].to_list()
['19600201', '19600201', '19600231', None]
>>> frame.select(field("name", "name"))["name"].to_list()
['le duc', 'o neill', None, None]
>>> soundex("robert"), soundex("rupert"), soundex("ashcraft"), soundex("pfister")
('r163', 'r163', 'a261', 'p236')
"""

from __future__ import annotations

import polars as pl

from linkage.normalise.text_expressions import fold_expression, plain
from linkage.tables.config import TablesConfig
from linkage.tables.parts import DerivedConfig

_CODES = {
    **dict.fromkeys("bfpv", "1"),
    **dict.fromkeys("cgjkqsxz", "2"),
    **dict.fromkeys("dt", "3"),
    "l": "4",
    **dict.fromkeys("mn", "5"),
    "r": "6",
}
_SIGNS = r"[^\p{L}\p{N}]+"
_YEAR_FIRST = r"^(\d{4})[-/. ](\d{1,2})[-/. ](\d{1,2})(?:\D|$)"
_YEAR_LAST = r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:\D|$)"


def _or_missing(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _date(text: pl.Expr) -> pl.Expr:
    parts = [(_YEAR_FIRST, (1, 2, 3)), (_YEAR_LAST, (3, 2, 1))]
    read = [
        pl.concat_str(text.str.extract(pattern, group).str.zfill(2) for group in groups) for pattern, groups in parts
    ]
    return pl.coalesce(*read, text.str.replace_all(_SIGNS, ""))


def field(name: str, kind: str) -> pl.Expr:
    """The column `name`, prepared by its type."""
    text = plain(pl.col(name).cast(pl.String))
    if kind == "number":
        return text.str.replace_all(r"\s", "").cast(pl.Float64, strict=False).alias(name)
    folded = fold_expression(text)
    prepared = {
        "code": folded.str.replace_all(_SIGNS, ""),
        "date": _date(folded),
    }.get(kind, folded.str.replace_all(_SIGNS, " ").str.strip_chars(" "))
    return _or_missing(prepared).alias(name)


def soundex(word: str) -> str:
    """American Soundex of a word in plain letters; others are passed over."""
    letters = [letter for letter in word if letter.isalpha()]
    if not letters:
        return word
    code, last = letters[0], _CODES.get(letters[0])
    for letter in letters[1:]:
        sound = _CODES.get(letter)
        if sound and sound != last:
            code += sound
        if letter not in "hw":  # a consonant repeated across h or w is one sound
            last = sound
    return (code + "000")[:4]


def _soundexes(values: pl.Series) -> pl.Series:
    distinct = values.drop_nulls().unique(maintain_order=True)
    sounds = pl.Series([soundex(value) for value in distinct], dtype=pl.String)
    return values.replace_strict(distinct, sounds, default=None, return_dtype=pl.String)


def _words(text: pl.Expr, least: int) -> pl.Expr:
    kept = (
        text.str.split(" ")
        .list.eval(pl.element().filter(pl.element().str.len_chars() >= least))
        .list.unique(maintain_order=True)
    )
    return pl.when(kept.list.len() > 0).then(kept)


def derived(frame: pl.DataFrame, name: str, made: DerivedConfig) -> pl.Series:
    """The column that a config derives, called `name`."""
    first = pl.col(made.sources[0]).cast(pl.String)
    match made.kind:
        case "soundex":
            return _soundexes(frame[made.sources[0]].cast(pl.String).str.replace_all(" ", "")).alias(name)
        case "first_letters":
            how = first.str.slice(0, made.length)
        case "last_letters":
            how = first.str.tail(made.length or 1)
        case "first_word":
            how = first.str.split(" ").list.first()
        case "last_word":
            how = first.str.split(" ").list.last()
        case "words":
            how = _words(first, made.min_length or 1)
        case _:
            how = pl.concat_str([pl.col(column).cast(pl.String) for column in made.sources], separator=" ")
    return frame.select(how.alias(name)).to_series()


def prepare(lines: pl.DataFrame, config: TablesConfig) -> pl.DataFrame:
    """Raw text under the fields' names → `id` (dense, in the order read), `unique_id`, fields and derived columns."""
    fields = [field(name, told.type) for name, told in config.fields.items()]
    frame = lines.select(pl.int_range(pl.len(), dtype=pl.Int32).alias("id"), pl.col("unique_id"), *fields)
    for name, made in config.derive.items():
        frame = frame.with_columns(derived(frame, name, made))
    return frame
