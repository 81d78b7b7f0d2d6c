"""Identity numbers as written → 12-digit and 9-digit numbers with their structure.

Rules
- 12 digits (CCCD, số định danh): province or country of birth (3), century and sex (1), year (2), six free digits.
  There is no check digit, so only the structure can be weighed against sex and birth year.
- 9 digits (CMND): the first two name the issuing province; nothing leads from it to the 12 digits.
- A spreadsheet drops leading zeros. 11 digits get one zero, 10 digits two, 8 digits one (CMND), but only where the
  result has a possible structure. What cannot be padded stays in `id_other`.
- Float notation with every digit is a whole number. Where digits are lost, only those still known stand in
  `id_prefix`; the last of them may be rounded.
- Dates beside a number are not part of it. A text may hold both numbers.

`id_flag`: ok · padded · float · separators (blanks, dots, quotes or words taken away) · letters-for-digits ·
two-numbers · other-paper (passport, army, birth certificate …) · placeholder · implausible · empty.

>>> id_columns(pl.Series(["45060012345.0"])).select("id12", "id12_province", "id12_sex", "id12_birth_year").row(0)
('045060012345', '045', 'M', 1960)
"""

from __future__ import annotations

import polars as pl

from linkage.normalise.provinces import ID12_PROVINCE_CODES
from linkage.normalise.text_expressions import distinct, fold_expression, plain

LATEST_BIRTH_YEAR = 2026
"""Births after this year are impossible; a run may give its own."""

CMND_PREFIXES = tuple(f"{number:02d}" for number in range(1, 39))
"""Leading two digits of a CMND: the issuing province group (local issue 1957–2021)."""

PLACEHOLDERS = frozenset(str(digit) * length for digit in range(10) for length in range(1, 14)) | {
    *("123456789", "012345678", "12345678", "987654321", "0123456789", "1234567890"),
    *("123456789012", "012345678912", "012345678901", "123456789123", "012345678910"),
}
"""Numbers typed only to get past a required field."""

_FOREIGN_BIRTH = r"^[1-3][0-9][0-9]"  # countries, Annex 2 of Circular 07/2016; the upper bound is not sourced
_CLEAN = r"^(?:[0-9]{12}|[0-9]{9})$"
_DATE = (
    r"\b(?:[0-9]{1,2}[/.\-][0-9]{1,2}[/.\-](?:[0-9]{4}|[0-9]{2})|"
    r"[0-9]{4}[/\-][0-9]{1,2}[/\-][0-9]{1,2}|[0-9]{1,2}/[0-9]{4})\b"
)
_BETWEEN_DIGITS = r"([0-9OolI])[ .,'’_\-]+([0-9OolIBS])"
_DATE_IN_WORDS = r"(?:ngay *)?[0-9]{1,2} *thang *[0-9]{1,2} *nam *[0-9]{4}"
_FLOAT = r"^([0-9])(?:[.,]([0-9]+))?e\+?0*([0-9]{1,2})$"
_LONGEST_ROUNDED = 6  # significant digits a spreadsheet shows in float notation: more means nothing was rounded
_LOST_TAIL = r"00000$"  # five free digits all zero: one number in 100,000, but every number re-saved from a float
_NOT_GIVEN = r"^(?:x+|k|ko|kh?ong(?: co| ro| biet)?|chua(?: co| ro)?|null|none|nan|n/?a|#n/a|[^a-z0-9]+)$"
_OTHER_PAPER = (
    r"\b(?:ho chieu|passport|h/?c[ :.]*[a-z]?[0-9]|quan doi|quan nhan|si quan|c?m?qd|c?m?sq|cmtqd|cmtsq|qdnd|cmca|"
    r"gks|khai sinh|ho khau|shk|mst|ma so thue|thuong binh|giay phep lai xe|gplx|bang lai)\b"
)
_IDENTITY_WORD = r"\b(?:cmnd|cmt|cmtnd|chung minh nhan dan|cccd|can cuoc|dinh danh|ddcn)\b"
_LETTERS_FOR_DIGITS = ("OoQlI|BSsZz", "00011185522")
_MOSTLY_DIGITS = r"(?:^|[^\p{L}\p{N}|])([0-9OoQlI|BSsZz]{9,12})(?:$|[^\p{L}\p{N}|])"


def id_columns(values: pl.Series, *, latest_birth_year: int = LATEST_BIRTH_YEAR) -> pl.DataFrame:
    """One row per distinct value: `raw`, `id12`, `id9`, `id_prefix`, `id_other`, `id_flag` and the 12 digits' parts."""
    frame = distinct(values)
    clean = pl.col("raw").str.contains(_CLEAN).fill_null(value=False) & ~pl.col("raw").is_in(list(PLACEHOLDERS))
    frame = frame.with_columns((clean & ~pl.col("raw").str.contains(_LOST_TAIL)).fill_null(value=False).alias("_clean"))
    read = pl.concat(
        [
            _as_typed(frame.filter("_clean"), latest_birth_year),
            _read(frame.filter(~pl.col("_clean")), latest_birth_year),
        ]
    )
    return read.with_columns(id12_parts(pl.col("id12"), latest_birth_year=latest_birth_year))


def _as_typed(frame: pl.DataFrame, latest: int) -> pl.DataFrame:
    """Values that are 12 or 9 digits and nothing else."""
    digits, twelve = pl.col("raw"), pl.col("raw").str.len_bytes() == 12
    plausible = pl.when(twelve).then(id12_is_plausible(digits, latest_birth_year=latest)).otherwise(_cmnd_known(digits))
    return frame.select(
        "raw",
        pl.when(twelve).then(digits).alias("id12"),
        pl.when(~twelve).then(digits).alias("id9"),
        pl.lit(None, pl.String).alias("id_prefix"),
        pl.lit(None, pl.String).alias("id_other"),
        pl.when(plausible).then(pl.lit("ok")).otherwise(pl.lit("implausible")).alias("id_flag"),
    )


def _read(frame: pl.DataFrame, latest: int) -> pl.DataFrame:
    """All other values, step by step."""
    frame = frame.with_columns(plain(pl.col("raw")).alias("_text")).with_columns(_folded())
    frame = frame.with_columns(_float_parts()).with_columns(_without_separators())
    frame = frame.with_columns(_whole_runs()).with_columns(_spaced_runs())
    frame = frame.with_columns(_loose_digits()).with_columns(_short_runs())
    frame = frame.with_columns(_padded(latest)).with_columns(_numbers())
    frame = frame.with_columns(_known_prefix()).with_columns(_placeholder())
    frame = frame.with_columns(_kept_numbers()).with_columns(_other()).with_columns(_flag(latest))
    return frame.select("raw", "id12", "id9", "id_prefix", "id_other", "id_flag")


def id12_parts(id12: pl.Expr, *, latest_birth_year: int = LATEST_BIRTH_YEAR) -> list[pl.Expr]:
    """`id12_province`, `id12_sex`, `id12_birth_year`, `id12_plausible` of a 12-digit number."""
    return [
        id12.str.slice(0, 3).alias("id12_province"),
        _sex(id12).alias("id12_sex"),
        _birth_year(id12).alias("id12_birth_year"),
        id12_is_plausible(id12, latest_birth_year=latest_birth_year).alias("id12_plausible"),
    ]


def id12_is_plausible(id12: pl.Expr, *, latest_birth_year: int = LATEST_BIRTH_YEAR) -> pl.Expr:
    """True where the first three digits are a province or a country and the birth year is not in the future."""
    known = id12.str.slice(0, 3).is_in(list(ID12_PROVINCE_CODES)) | id12.str.contains(_FOREIGN_BIRTH)
    return known & (_birth_year(id12) <= latest_birth_year)


def id12_structure_agrees(id12: pl.Expr, *, sex: pl.Expr, birth_year: pl.Expr) -> pl.Expr:
    """True where sex and birth year agree with the 12 digits, as far as given; null where neither is given."""
    sexes, years = _sex(id12) == sex, _birth_year(id12) == birth_year.cast(pl.Int16)
    return pl.when(sexes.is_null()).then(years).when(years.is_null()).then(sexes).otherwise(sexes & years)


def _cmnd_known(id9: pl.Expr) -> pl.Expr:
    return id9.str.slice(0, 2).is_in(list(CMND_PREFIXES))


def _sex(id12: pl.Expr) -> pl.Expr:
    odd = id12.str.slice(3, 1).str.to_integer(strict=False, dtype=pl.Int16) % 2 == 1
    return pl.when(odd).then(pl.lit("F")).when(~odd).then(pl.lit("M"))


def _birth_year(id12: pl.Expr) -> pl.Expr:
    century = id12.str.slice(3, 1).str.to_integer(strict=False, dtype=pl.Int16) // 2
    return (1900 + 100 * century + id12.str.slice(4, 2).str.to_integer(strict=False, dtype=pl.Int16)).cast(pl.Int16)


def _folded() -> list[pl.Expr]:
    """`_text` without quotes and a trailing `.0`; `_words` folded; neither for nothing written."""
    text = pl.col("_text").str.strip_chars(" '\"`´’‘“”=").str.replace(r"^([0-9]+)[.,]0+$", "$1")
    return [text.alias("_text"), fold_expression(text).alias("_words")]


def _without_separators() -> list[pl.Expr]:
    """`_bare` without dates, `_joined` also without what separates digits."""
    worded, floating = pl.col("_words").str.contains(r"[0-9] *thang"), pl.col("_mantissa").is_not_null()
    bare = pl.when(worded).then(pl.col("_words").str.replace_all(_DATE_IN_WORDS, " ")).otherwise("_text")
    bare = pl.when(~floating).then(bare).otherwise(pl.lit(""))
    bare = bare.str.replace_all(_DATE, " ")
    joined = bare
    for _ in range(2):  # a match eats the digit the next one would start with
        joined = joined.str.replace_all(_BETWEEN_DIGITS, "$1$2")
    return [bare.alias("_bare"), joined.alias("_joined")]


def _float_parts() -> list[pl.Expr]:
    """`_mantissa`: the digits a float shows; `_length`: how many the whole number has."""
    text = pl.col("_words").str.replace_all(" ", "", literal=True)
    mantissa = text.str.extract(_FLOAT, 1) + text.str.extract(_FLOAT, 2).fill_null("").str.strip_chars_end("0")
    return [mantissa.alias("_mantissa"), (text.str.extract(_FLOAT, 3).cast(pl.Int16) + 1).alias("_length")]


def _run(column: str, length: int, edge: str = r"[^0-9]") -> pl.Expr:
    """The first run of exactly `length` digits."""
    return pl.col(column).str.extract(rf"(?:^|{edge})([0-9]{{{length}}})(?:{edge}|$)", 1)


def _lone_run(column: str, length: int) -> pl.Expr:
    """As `_run`, but not where the digits touch letters, which are then part of the number."""
    return _run(column, length, edge=r"[^\p{L}0-9]")


def _whole_runs() -> list[pl.Expr]:
    return [_run("_bare", 12).alias("_12"), _run("_bare", 9).alias("_9")]


def _spaced_runs() -> list[pl.Expr]:
    """Where no whole run has 12 or 9 digits: runs once separators are gone, two numbers that then touch included."""
    none = pl.col("_12").is_null() & pl.col("_9").is_null()
    both = _run("_joined", 21)
    spaced12 = pl.coalesce(_run("_joined", 12), both.str.slice(9))
    spaced9 = pl.coalesce(_run("_joined", 9), both.str.slice(0, 9))
    return [
        pl.coalesce("_12", pl.when(none).then(spaced12)).alias("_12"),
        pl.coalesce("_9", pl.when(none).then(spaced9)).alias("_9"),
    ]


def _loose_digits() -> list[pl.Expr]:
    """`_floated`: a float that shows every digit; `_spelled`: a number with letters for digits, digits put back."""
    whole = pl.col("_mantissa").str.len_chars() > pl.min_horizontal(pl.col("_length") - 1, pl.lit(_LONGEST_ROUNDED))
    floated = pl.col("_mantissa").str.pad_end(13, "0").str.slice(0, pl.col("_length").clip(0, 13))
    token = pl.col("_joined").str.extract(_MOSTLY_DIGITS, 1)
    mostly = (token.str.count_matches(r"[0-9]") * 3 >= token.str.len_chars() * 2) & token.str.contains(r"[^0-9]")
    digits = token.str.replace_many(list(_LETTERS_FOR_DIGITS[0]), list(_LETTERS_FOR_DIGITS[1]))
    none = pl.col("_12").is_null() & pl.col("_9").is_null() & pl.col("_mantissa").is_null()
    return [pl.when(whole).then(floated).alias("_floated"), pl.when(none & mostly).then(digits).alias("_spelled")]


def _short_runs() -> list[pl.Expr]:
    """`_11`, `_10`, `_8`: runs that may have lost zeros, only where nothing whole was found."""
    none = pl.all_horizontal(pl.col("_12", "_9", "_mantissa", "_spelled").is_null())
    loose = pl.coalesce("_floated", "_spelled")
    return [
        pl.coalesce(
            pl.when(none).then(pl.coalesce(_lone_run("_bare", size), _lone_run("_joined", size))),
            pl.when(loose.str.len_chars() == size).then(loose),
        ).alias(f"_{size}")
        for size in (11, 10, 8)
    ]


def _padded(latest: int) -> list[pl.Expr]:
    """`_padded12`, `_padded9`: short runs with their zeros back, where the structure allows it."""

    def possible(short: pl.Expr, zeros: str) -> pl.Expr:
        full = zeros + short
        return pl.when(~short.str.starts_with("0") & id12_is_plausible(full, latest_birth_year=latest)).then(full)

    eight = pl.when(~pl.col("_8").str.starts_with("0")).then("0" + pl.col("_8"))
    return [
        pl.coalesce(possible(pl.col("_11"), "0"), possible(pl.col("_10"), "00")).alias("_padded12"),
        pl.when(pl.col("_11").is_null() & pl.col("_10").is_null()).then(eight).alias("_padded9"),
    ]


def _numbers() -> list[pl.Expr]:
    """`id12`, `id9` before placeholders and lost digits are taken out."""
    loose = pl.coalesce("_floated", "_spelled")
    labelled = pl.col("_words").str.contains(_OTHER_PAPER) & ~pl.col("_words").str.contains(_IDENTITY_WORD)
    nine = pl.coalesce("_9", pl.when(loose.str.len_chars() == 9).then(loose), "_padded9")
    return [
        pl.coalesce("_12", pl.when(loose.str.len_chars() == 12).then(loose), "_padded12").alias("id12"),
        pl.when(~labelled).then(nine).alias("id9"),
        labelled.alias("_labelled"),
    ]


def _known_prefix() -> list[pl.Expr]:
    """`id_prefix`: what float notation left of a number, zeros in front put back."""
    zeros = pl.col("_length").replace_strict({11: "0", 10: "00", 8: "0", 9: "", 12: ""}, default=None)
    shown = pl.when(pl.col("_floated").is_null()).then(zeros + pl.col("_mantissa"))
    re_saved = [
        pl.when(pl.col(name).str.contains(_LOST_TAIL)).then(pl.col(name).str.strip_chars_end("0"))
        for name in ("id12", "id9")
    ]
    return [pl.coalesce(shown, *re_saved).alias("id_prefix")]


def _placeholder() -> list[pl.Expr]:
    digits = pl.col("_joined").str.replace_all(" ", "", literal=True)
    typed = pl.any_horizontal(expr.is_in(list(PLACEHOLDERS)) for expr in (digits, pl.col("id12"), pl.col("id9")))
    return [
        (typed.fill_null(value=False) | pl.col("_words").str.contains(_NOT_GIVEN).fill_null(value=False)).alias(
            "_placeholder"
        )
    ]


def _kept_numbers() -> list[pl.Expr]:
    def kept(name: str) -> pl.Expr:
        return pl.when(~pl.col("_placeholder") & ~pl.col(name).str.contains(_LOST_TAIL)).then(pl.col(name)).alias(name)

    return [kept("id12"), kept("id9"), pl.when(~pl.col("_placeholder")).then("id_prefix").alias("id_prefix")]


def _other() -> list[pl.Expr]:
    """`id_other`: capital letters and digits of a number that is neither, or of another paper."""
    none = pl.all_horizontal(pl.col("id12", "id9", "id_prefix").is_null()) & ~pl.col("_placeholder")
    token = pl.col("_words").str.extract(r"\b([a-z]{0,4}-?[0-9][0-9.\-/]*)", 1)
    whole = pl.coalesce(token, "_words").str.replace_all(r"[^a-z0-9]", "").str.to_uppercase()
    return [pl.when(none & whole.str.contains("[0-9]")).then(whole).alias("id_other")]


def _flag(latest: int) -> list[pl.Expr]:
    plausible12 = id12_is_plausible(pl.col("id12"), latest_birth_year=latest)
    plausible9 = _cmnd_known(pl.col("id9"))
    short = pl.coalesce("_12", "_9").is_null() & pl.coalesce("_padded12", "_padded9").is_not_null()
    lettered = pl.col("id_other").str.contains("[A-Z]") | pl.col("_labelled")
    cases = {
        "empty": pl.col("_text").is_null() | (pl.col("raw").str.strip_chars() == "") | (pl.col("_text") == ""),
        "placeholder": pl.col("_placeholder"),
        "float": pl.col("_mantissa").is_not_null() | pl.col("id_prefix").is_not_null(),
        "two-numbers": pl.col("id12").is_not_null() & pl.col("id9").is_not_null(),
        "other-paper": pl.col("id_other").is_not_null() & lettered,
        "implausible": pl.coalesce(~plausible12, ~plausible9, pl.lit(value=True)),
        "letters-for-digits": pl.col("_spelled").is_not_null(),
        "padded": short,
        "separators": pl.col("raw") != pl.coalesce("id12", "id9"),
    }
    flag = pl.lit("ok")
    for code, case in reversed(cases.items()):
        flag = pl.when(case.fill_null(value=False)).then(pl.lit(code)).otherwise(flag)
    return [flag.alias("id_flag")]
