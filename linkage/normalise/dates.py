"""Dates of birth and of issue as written → year, month, day and how far each can be trusted.

Rules
- A year alone is normal. 1900 is a form's default, so it is no year at all; 01/01 of a year is a form's default too,
  so the year stays and day and month are taken away.
- Day before month, unless the second number is above 12. Where both are 12 or less and differ, the order is doubtful
  (`birth_swappable`).
- What the calendar does not have (31/02) keeps its year; a year outside the range (1017, 2107) is taken away.
- A spreadsheet shows a date as the number of days since 30 December 1899, and a year typed into a date cell as a day
  of 1905: both are turned back.

Flags: ok · year-only · first-of-january · placeholder · impossible · excel-serial · two-digit-year · month-first ·
unreadable · empty.

>>> birth_columns(pl.Series(["ngày 12 tháng 3 năm 1960"])).row(0)
('ngày 12 tháng 3 năm 1960', 1960, 3, 12, True, 'ok')
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import polars as pl

from linkage.normalise.text_expressions import distinct, folded_with_punctuation

EARLIEST_BIRTH_YEAR = 1880
LATEST_BIRTH_YEAR = 2026
"""Births after this year are impossible; a run may give its own."""
EARLIEST_CERTIFICATE_YEAR = 1980
ADULT_AGE = 15
"""Nobody below this age is named on a certificate in his own right, heirs apart."""
OLDEST_AGE = 115

_SERIAL_DAY_ZERO = date(1899, 12, 30)
_PLACEHOLDER_YEAR = 1900
_YEARS_SHOWN_AS_1905 = range(1925, 2011)  # serial numbers of 8 April to 2 July 1905
_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6}
_MONTHS |= {"jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}


class ReadDate(NamedTuple):
    """What one text says."""

    year: int | None = None
    month: int | None = None
    day: int | None = None
    swappable: bool = False
    flag: str = "unreadable"


@dataclass(frozen=True)
class YearRange:
    """Years a date may have, and where two-digit years turn over to 2000."""

    earliest: int
    latest: int
    pivot: int

    def has(self, year: int) -> bool:
        """True for a year of the range."""
        return self.earliest <= year <= self.latest

    def expanded(self, short: int) -> int:
        """A two-digit year in full."""
        return 2000 + short if short <= self.pivot else 1900 + short


def birth_columns(values: pl.Series, *, latest_year: int = LATEST_BIRTH_YEAR) -> pl.DataFrame:
    """One row per distinct value: `raw`, `birth_year`, `birth_month`, `birth_day`, `birth_swappable`, `birth_flag`."""
    years = YearRange(EARLIEST_BIRTH_YEAR, latest_year, pivot=latest_year % 100 - 18)
    return _columns(values, years, "birth")


def date_columns(values: pl.Series, *, today: date, prefix: str = "certificate") -> pl.DataFrame:
    """As `birth_columns` for dates of issue (1980 to today); columns start with `prefix`."""
    years = YearRange(EARLIEST_CERTIFICATE_YEAR, today.year, pivot=today.year % 100)
    return _columns(values, years, prefix)


def age_at(birth_year: pl.Expr, certificate_year: pl.Expr) -> pl.Expr:
    """Age in whole years, by the years alone, when the certificate was issued; negative before birth."""
    return certificate_year.cast(pl.Int16) - birth_year.cast(pl.Int16)


def age_evidence(birth_year: pl.Expr, certificate_year: pl.Expr) -> pl.Expr:
    """`not-born`, `too-young` (under 15), `too-old` (over 115) or `possible` at the certificate's date."""
    age = age_at(birth_year, certificate_year)
    code = pl.when(age < 0).then(pl.lit("not-born")).when(age < ADULT_AGE).then(pl.lit("too-young"))
    return code.when(age > OLDEST_AGE).then(pl.lit("too-old")).when(age.is_not_null()).then(pl.lit("possible"))


def too_young(birth_year: pl.Expr, certificate_year: pl.Expr) -> pl.Expr:
    """True where the owner would be under 15, or not yet born, at the certificate's date."""
    return age_at(birth_year, certificate_year) < ADULT_AGE


def read_date(folded: str, years: YearRange) -> ReadDate:
    """The first form that fits a folded text (lower-case ASCII with its punctuation)."""
    text = re.sub(r"^(\d+)[.,]0+$", r"\1", folded.strip(" '\"`=.,;:"))
    if not text:
        return ReadDate(flag="empty")
    for form, reader in _FORMS:
        found = form.search(text)
        if found:
            return reader(found.groups(), years)
    spelled = text.translate(_LETTERS_FOR_DIGITS)
    return read_date(spelled, years) if spelled != text and not re.search("[a-z]", spelled) else ReadDate()


def _columns(values: pl.Series, years: YearRange, prefix: str) -> pl.DataFrame:
    frame = distinct(values)
    folded: Iterable[str] = folded_with_punctuation(frame["raw"]).fill_null("")
    schema = {"year": pl.Int16, "month": pl.Int8, "day": pl.Int8, "swappable": pl.Boolean, "flag": pl.String}
    named = {f"{prefix}_{name}": dtype for name, dtype in schema.items()}
    read = pl.DataFrame([read_date(text, years) for text in folded], schema=named, orient="row")
    return frame.hstack(read)


def _checked(year: int, month: int, day: int, years: YearRange, flag: str = "ok") -> ReadDate:
    """A date once placeholders, swapped and impossible parts are dealt with; 0 stands for an unknown part."""
    if year == _PLACEHOLDER_YEAR or not years.has(year):
        return ReadDate(flag="placeholder" if year == _PLACEHOLDER_YEAR else "impossible")
    if not day and month <= 12:
        return ReadDate(year, month or None, flag=flag if month else "year-only")
    if day == month == 1:
        return ReadDate(year, flag="first-of-january")
    if month > 12 >= day:
        day, month, flag = month, day, "month-first"
    return _full(year, month, day, flag)


def _full(year: int, month: int, day: int, flag: str) -> ReadDate:
    if not _in_calendar(year, month, day):
        return ReadDate(year, flag="impossible")
    if _is_year_typed_into_a_date_cell(year, month, day):
        return ReadDate((date(year, month, day) - _SERIAL_DAY_ZERO).days, flag="excel-serial")
    return ReadDate(year, month, day, day <= 12 and day != month, flag)


def _in_calendar(year: int, month: int, day: int) -> bool:
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _is_year_typed_into_a_date_cell(year: int, month: int, day: int) -> bool:
    return year == 1905 and (date(year, month, day) - _SERIAL_DAY_ZERO).days in _YEARS_SHOWN_AS_1905


def _year(text: str, years: YearRange) -> tuple[int, str]:
    return (years.expanded(int(text)), "two-digit-year") if len(text) == 2 else (int(text), "ok")


Parts = tuple[str | None, ...]


def _day_month_year(parts: Parts, years: YearRange) -> ReadDate:
    year, flag = _year(parts[2] or "", years)
    return _checked(year, int(parts[1] or 0), int(parts[0] or 0), years, flag)


def _year_month_day(parts: Parts, years: YearRange) -> ReadDate:
    return _checked(int(parts[0] or 0), int(parts[1] or 0), int(parts[2] or 0), years)


def _month_year(parts: Parts, years: YearRange) -> ReadDate:
    return _checked(int(parts[1] or 0), int(parts[0] or 0), 0, years)


def _year_month(parts: Parts, years: YearRange) -> ReadDate:
    return _month_year((parts[1], parts[0]), years)


def _day_named_month_year(parts: Parts, years: YearRange) -> ReadDate:
    return _day_month_year((parts[0], str(_MONTHS[parts[1] or ""]), parts[2]), years)


def _named_month_day_year(parts: Parts, years: YearRange) -> ReadDate:
    return _day_named_month_year((parts[1], parts[0], parts[2]), years)


def _year_only(parts: Parts, years: YearRange) -> ReadDate:
    year, flag = _year(parts[0] or "", years)
    found = _checked(year, 0, 0, years)
    return found._replace(flag=flag) if found.year and flag != "ok" else found


def _nothing(_parts: Parts, _years: YearRange) -> ReadDate:
    return ReadDate(flag="placeholder")


def _eight_digits(parts: Parts, years: YearRange) -> ReadDate:
    """`19600312` or `12031960`; the second lost its zero where seven digits are left."""
    text = (parts[0] or "").zfill(8)
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:])
    if years.has(year) and 1 <= month <= 12 and day <= 31:
        return _checked(year, month, day, years)
    return _checked(int(text[4:]), int(text[2:4]), int(text[:2]), years)


def _serial(parts: Parts, years: YearRange) -> ReadDate:
    """Days since 30 December 1899; a five-digit number that starts with 0 is a year."""
    number = int((parts[0] or "0").split(".")[0])
    if (parts[0] or "").startswith("0"):
        return _year_only((str(number).zfill(4),), years)
    day = _SERIAL_DAY_ZERO + timedelta(days=number)
    found = _checked(day.year, day.month, day.day, years)
    return found._replace(flag="excel-serial") if found.flag == "ok" else found


Reader = Callable[[Parts, YearRange], ReadDate]
_MONTH_NAME = rf"({'|'.join(_MONTHS)})[a-z]*"
_BETWEEN = r" ?[/.\-, \\] ?"
_FORMS: list[tuple[re.Pattern[str], Reader]] = [
    (re.compile(form), reader)
    for form, reader in (
        (r"^(0{1,3})$", _nothing),
        (r"^(\d{4}|\d{2})$", _year_only),
        (r"^(\d{7,8})$", _eight_digits),
        (r"^(\d{5}(?:\.\d+)?)$", _serial),
        (rf"(?:^|\D)(\d{{4}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{1,2}})(?:\D|$)", _year_month_day),
        (rf"(?:^|\D)(\d{{1,2}}){_BETWEEN}(\d{{1,2}}){_BETWEEN}(\d{{4}}|\d{{2}})(?:\D|$)", _day_month_year),
        (r"(\d{1,2}) ?thang ?(\d{1,2}),? ?nam ?(\d{4}|\d{2})(?:\D|$)", _day_month_year),
        (r"(?:thang|^t) ?(\d{1,2}) ?(?:,|nam|/|-)? ?(\d{4})(?:\D|$)", _month_year),
        (rf"(?:^|\D)(\d{{1,2}})[ \-/]?{_MONTH_NAME}[ \-/,.]*(\d{{4}}|\d{{2}})(?:\D|$)", _day_named_month_year),
        (rf"\b{_MONTH_NAME}[ .]*(\d{{1,2}}),? *(\d{{4}})(?:\D|$)", _named_month_day_year),
        (rf"^(\d{{1,2}}){_BETWEEN}(\d{{4}})$", _month_year),
        (rf"^(\d{{4}}){_BETWEEN}(\d{{1,2}})$", _year_month),
        (r"(?:^|\D)(\d{4})(?:\D|$)", _year_only),
    )
]
_LETTERS_FOR_DIGITS = str.maketrans("oli", "011")
