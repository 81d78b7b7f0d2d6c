"""`report.html`: one page about one run, for the officer first and the data team after.

Rules
- One file without any outside reference; its own policy forbids scripts, fonts, pictures and requests.
- Names, numbers and serials are masked; `with_names` writes another file whose name and first line say so.
- Both languages are in the page; a radio button switches them without a script.
- A missing part is said to be missing, never left out in silence.
- Equal runs give equal bytes: no clock, no random ids.
- The page is written beside its place and then moved there, so that no half page is ever seen.

>>> environment().from_string("{{ 12345 | num }}").render()
'<span class="vi" lang="vi">12.345</span><span class="en" lang="en">12,345</span>'
"""

from __future__ import annotations

import os
from math import floor, log10
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from linkage.report import words
from linkage.report.run_folder import open_run
from linkage.report.sections import nested, page_of

if TYPE_CHECKING:
    from pathlib import Path

    from linkage.report.metrics import Evaluation

REPORT, REPORT_WITH_NAMES = "report.html", "report-with-names.html"


def write_report(run: Path, *, with_names: bool = False, evaluation: Evaluation | None = None) -> Path:
    """Write the report of the finished run in folder `run`; return its path."""
    opened = open_run(run)
    page = page_of(opened, evaluation or opened.evaluation, with_names=with_names)
    text = environment().get_template("report.html.j2").render(page=page, words=words, nested=nested)
    target = run / (REPORT_WITH_NAMES if with_names else REPORT)
    part = target.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, target)  # noqa: PTH105 (atomic on both systems, as Path.replace, but says so)
    return target


def environment() -> Environment:
    """Make the templates' environment: everything escaped, an unknown name is an error."""
    made = Environment(
        loader=PackageLoader("linkage.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        num=number,
        pct=percent,
        dec=decimal,
        both=both,
        svg=Markup,
        mib=mebibytes,
        short=short,
        basename=basename,
        floor_to=floor_to,
        sig=significant,
        flat=flat,
    )
    return made


def both(phrase: tuple[str, str] | str) -> Markup:
    """Print a phrase in both languages.

    >>> str(both(("có", "yes")))
    '<span class="vi" lang="vi">có</span><span class="en" lang="en">yes</span>'
    """
    if isinstance(phrase, str):
        return escape(phrase)
    vi, en = phrase
    return Markup('<span class="vi" lang="vi">{}</span><span class="en" lang="en">{}</span>').format(vi, en)


def number(value: Any) -> Markup:
    """Print a count, thousands parted as each language does."""
    if not isinstance(value, int | float):
        return Markup("–")
    english = f"{value:,.0f}"
    return both((english.replace(",", "."), english))


def decimal(value: Any, digits: int = 2) -> Markup:
    """Print a decimal number.

    >>> str(decimal(None))
    '–'
    """
    if not isinstance(value, int | float):
        return Markup("–")
    english = f"{value:,.{digits}f}".replace("-", "\u2212")
    return both((english.translate(str.maketrans(",.", ".,")), english))


def significant(value: Any) -> Markup:
    """Print a probability with three significant digits.

    >>> "0.997" in significant(0.9971), "·10<sup>−6</sup>" in significant(0.0000021)
    (True, True)
    """
    if not isinstance(value, int | float) or value <= 0:
        return decimal(value, 0)
    power = floor(log10(value))
    if power >= -3:  # more zeros than this the eye cannot count
        return decimal(value, 2 - power)
    return decimal(value / 10.0**power) + Markup("·10<sup>{}</sup>").format(f"\u2212{-power}")


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Unfold nested entries of the card.

    >>> flat({"rows": {"owners": 3}})
    [('rows.owners', '3')]
    """
    if not isinstance(value, dict):
        return [(name, str(value))]
    return [pair for key, inner in value.items() for pair in flat(inner, f"{name}.{key}".lstrip("."))]


def floor_to(value: Any, digits: int) -> Markup:
    """Print a threshold, rounded down: 0.99999999 is not 1.

    >>> "0.9999999" in floor_to(0.99999999, 7)
    True
    """
    return decimal(floor(value * 10**digits) / 10**digits, digits) if isinstance(value, int | float) else Markup("–")


def percent(value: Any, digits: int = 1) -> Markup:
    """Print a share as per cent."""
    if not isinstance(value, int | float):
        return Markup("–")
    english = f"{100 * value:.{digits}f}"
    return both((english.replace(".", ",") + "\u202f%", english + "%"))


def mebibytes(value: Any) -> Markup:
    """Print bytes as MiB."""
    return decimal(value / 2**20, 0) if isinstance(value, int | float) else Markup("–")


def basename(value: Any) -> str:
    r"""Keep a file's name: its folders may tell more than the reader should know.

    >>> basename("/srv/office/owners.xlsx"), basename("C:\\office\\owners.xlsx")
    ('owners.xlsx', 'owners.xlsx')
    """
    return str(value).replace("\\", "/").rsplit("/", maxsplit=1)[-1]


def short(value: Any, kept: int = 16) -> str:
    """Cut a hash to its first characters.

    >>> short("0123456789abcdef0123")
    '0123456789abcdef…'
    """
    text = str(value or "–")
    return text if len(text) <= kept else text[:kept] + "…"
