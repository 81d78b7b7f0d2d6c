"""Certificate serials (số phát hành) as written → one form.

Rules
- One or two capital letters and 6 digits, or 8 digits since 1 January 2025; Đ is a letter of its own, not D.
- Blanks, dots and dashes go; lost zeros come back (`AD 66864` → `AD066864`); O, I, l among the digits are digits.
- `H`, `CH`, `CS`, `CT`, `CN`, `VP` with five digits is a register number (số vào sổ), so it is no serial.

`serial_flag`: ok · separators · padded · letters-for-digits · several (the first is kept) · register-number ·
other-form (letters and digits kept) · placeholder · empty.

>>> serial_columns(pl.Series(["ad 266.864", "Số: ĐA 66864"])).select("serial", "serial_flag").rows()
[('AD266864', 'separators'), ('ĐA066864', 'padded')]
"""

from __future__ import annotations

import polars as pl

from linkage.normalise.text_expressions import distinct, plain

_LETTERS = r"(?:^|[^\p{L}])([A-ZĐ]{1,2})"
_SERIAL = _LETTERS + r"[ .\-_:]*([0-9]{3,8})(?:[^\p{L}0-9]|$)"
_GLUED = _LETTERS + r"[ .\-_:]*([0-9]{6,8})(?:[^0-9]|$)"
_SPELLED = _LETTERS + r"[ .\-_:]*([0-9OQIL|]{6,8})(?:[^\p{L}0-9]|$)"
_LABEL = r"^S[ỐO][ .:\-]*([A-ZĐ]{1,2}[ .\-_:]*[0-9])"
"""`Số` before a serial, also glued to it; `SO 123456` alone is a serial."""
_CLEAN = r"^[A-ZĐ]{1,2} ?[0-9]{6}$"
_BETWEEN_DIGITS = r"([0-9OI])[ .\-_]+([0-9OIL])"
_REGISTER_NUMBER = r"^(?:H|CH|CS|CT|CN|VP)[0-9]{5}$"
_NOT_GIVEN = r"^(?:0+|X+|KH?ÔNG(?: CÓ)?|K|KO|CHƯA(?: CÓ)?|NULL|NONE|NAN|N/?A|[^\p{L}\p{N}]+)$"


def serial_columns(values: pl.Series) -> pl.DataFrame:
    """One row per distinct value: `raw`, `serial`, `serial_flag`."""
    frame = distinct(values)
    clean = frame["raw"].str.contains(_CLEAN).fill_null(value=False) & ~frame["raw"].str.ends_with("000000").fill_null(
        value=False
    )
    return pl.concat([_as_printed(frame.filter(clean)), _as_written(frame.filter(~clean))])


def _as_printed(frame: pl.DataFrame) -> pl.DataFrame:
    """Serials of letters and six digits and nothing else, with or without a blank between."""
    serial = pl.col("raw").str.replace(" ", "", literal=True)
    flag = pl.when(pl.col("raw") == serial).then(pl.lit("ok")).otherwise(pl.lit("separators"))
    return frame.select("raw", serial.alias("serial"), flag.alias("serial_flag"))


def _as_written(frame: pl.DataFrame) -> pl.DataFrame:
    """All other values, step by step."""
    frame = frame.with_columns(_text()).with_columns(_parts()).with_columns(_read()).with_columns(_flag())
    return frame.select("raw", pl.when(_is_serial()).then("serial").alias("serial"), "serial_flag")


def _text() -> list[pl.Expr]:
    text = plain(pl.col("raw")).str.to_uppercase().str.replace_all("Ð", "Đ", literal=True)
    text = text.str.strip_chars(" '\"`=.,;:").str.replace(r"^([0-9]+)[.,]0+$", "$1").str.replace(_LABEL, "$1")
    joined = text
    for _ in range(2):  # a match eats the digit the next one would start with
        joined = joined.str.replace_all(_BETWEEN_DIGITS, "$1$2")
    return [text.alias("_text"), joined.alias("_joined")]


def _parts() -> list[pl.Expr]:
    joined = pl.col("_joined")
    spelled = joined.str.extract(_SPELLED, 2).str.replace_many(list("OQIL|"), list("00111"))
    return [
        pl.coalesce(joined.str.extract(form, 1) for form in (_SERIAL, _SPELLED, _GLUED)).alias("_letters"),
        pl.coalesce(joined.str.extract(_SERIAL, 2), spelled, joined.str.extract(_GLUED, 2)).alias("_digits"),
        (joined.str.extract(_SERIAL, 2).is_null() & spelled.is_not_null()).alias("_spelled"),
        joined.str.count_matches(_SERIAL).alias("_count"),
    ]


def _read() -> list[pl.Expr]:
    digits = pl.col("_digits")
    size = pl.when(digits.str.len_chars() > 6).then(8).otherwise(6)
    other = pl.col("_text").str.replace_all(r"[^A-ZĐ0-9]", "")
    register = (pl.col("_letters") + digits).str.contains(_REGISTER_NUMBER).fill_null(value=False)
    return [
        pl.coalesce(pl.col("_letters") + digits.str.pad_start(size, "0"), other).alias("serial"),
        register.alias("_register"),
        (digits.str.len_chars() < size).fill_null(value=False).alias("_padded"),
    ]


def _is_serial() -> pl.Expr:
    return ~pl.col("serial_flag").is_in(["empty", "placeholder", "register-number"]) & (pl.col("serial") != "")


def _flag() -> list[pl.Expr]:
    cases = {
        "empty": pl.col("_text").is_null() | (pl.col("_text").is_in([""]) & (pl.col("raw").str.strip_chars() == "")),
        "placeholder": pl.col("_text").str.contains(_NOT_GIVEN)
        | (pl.col("_text") == "")
        | pl.col("_digits").str.contains("^0+$"),
        "register-number": pl.col("_register"),
        "other-form": pl.col("_letters").is_null(),
        "several": pl.col("_count") > 1,
        "letters-for-digits": pl.col("_spelled"),
        "padded": pl.col("_padded"),
        "separators": pl.col("raw") != pl.col("serial"),
    }
    flag = pl.lit("ok")
    for code, case in reversed(cases.items()):
        flag = pl.when(case.fill_null(value=False)).then(pl.lit(code)).otherwise(flag)
    return [flag.alias("serial_flag")]
