"""Which column of a file is which column of ours.

Rules
- Headers are found by text, never by position.
- A column named in the config comes first; then our own name, letter for letter; then our own name without regard to
  case, accents, blanks and punctuation; then the aliases shipped for a known export (ELIS, VBDLIS).
- A column named in the config that the file lacks stops the run, unless the file has it under our own name: a slip of
  the pen in the config must not empty a column in silence.
- A header that stands twice cannot be used: nobody can say which of the two is meant.

>>> match_columns("a.csv", ["Owner Name", "Mã"], ["owner_record_id", "owner_name"], {"owner_record_id": "ma"})
{'owner_record_id': 'Mã', 'owner_name': 'Owner Name'}
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Literal

from linkage.config import SourceConfig
from linkage.errors import _VALUE, InputError, MissingColumnError

Format = Literal["auto", "pl3-01", "elis", "csv", "parquet", "xlsx"]
ROW = "row_number"
PART = "source_part"
RESERVED = (ROW, PART)


_SHOWN = 8
"""Headers that a refusal shows."""
_CALLED = {"owner_name": "hovaten", "full_name": "hovaten", "citizen_id": "sodinhdanhcanhan", "owner_id_no": "sogiayto"}
"""What an office calls a column of ours, folded."""


class HeaderError(MissingColumnError):
    """A required column cannot be found; names the headers that are most like it.

    >>> str(HeaderError("a.csv", "owner_name", ["1", "Lan", "045171999999"]))
    "a.csv: expected a column 'owner_name', found values in the first row (not shown here); add a header row."
    """

    def __init__(self, file: str, column: str, found: Iterable[str], section: str = "sources.owners.columns") -> None:
        names = list(found)
        super().__init__(file, column, names, section)
        expected = f"{file}: expected a column '{column}', found"
        if any(_VALUE.search(name) for name in names):
            self.args = (f"{expected} values in the first row (not shown here); add a header row.",)
        elif len(names) > _SHOWN:
            listed = ", ".join(f"'{name}'" for name in _closest(column, names))
            more = f"and {len(names) - _SHOWN} more"
            self.args = (f"{expected} {listed} {more}; rename one or map it in [{section}].",)


def _closest(column: str, headers: Sequence[str]) -> list[str]:
    """The headers most like a column of ours or what offices call it, in the order of the file."""
    likes = [fold_header(column), *([_CALLED[column]] if column in _CALLED else [])]

    def likeness(position: int) -> float:
        folded = fold_header(headers[position])
        return max(SequenceMatcher(None, like, folded).ratio() for like in likes)

    best = sorted(range(len(headers)), key=likeness, reverse=True)[:_SHOWN]
    return [headers[position] for position in sorted(best)]


@dataclass(frozen=True)
class SourceMapping:
    """How one source is read; the config module builds it from `[sources.owners]`.

    `columns` maps our column to the header in the file; `constants` gives a column a value where the file has none;
    `vintage` is the `commune_code_vintage` of lines that do not say it (None: the default of the table).
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    sheet: str | None = None
    format: Format = "auto"
    encoding: str | None = None
    delimiter: str | None = None
    vintage: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)


def mapping_of(source: SourceConfig) -> SourceMapping:
    """How a file is read, from its part of the config."""
    return SourceMapping(**source.model_dump(exclude={"sex_coding"}))


def plain_words(text: str) -> str:
    r"""Lower-case ASCII words of a header, one blank between them, without numbering like `(7)`.

    >>> plain_words("(7) Họ tên\n chủ sử dụng / Đại diện")
    'ho ten chu su dung dai dien'
    """
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    unnumbered = re.sub(r"[\(\[]\s*\d{1,2}[a-z]?\s*[\)\]]|^\s*\d{1,2}\s*[.)]", " ", bare.replace("đ", "d"))
    return " ".join(re.findall(r"[a-z0-9]+", unnumbered))


def fold_header(text: str) -> str:
    """A header without case, accents, blanks and punctuation.

    >>> fold_header("Số định danh_1")
    'sodinhdanh1'
    """
    bare = "".join(c for c in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(c))
    return "".join(re.findall(r"[a-z0-9]+", bare.replace("đ", "d")))


def unique_headers(headers: Sequence[str | None]) -> list[str]:
    """Headers made distinct: a repeated one gets `_2`, an empty one `column_3`; our reserved names count as taken.

    >>> unique_headers(["a", None, "a", "row_number"])
    ['a', 'column_2', 'a_2', 'row_number_2']
    """
    taken: set[str] = set(RESERVED)
    given: list[str] = []
    for position, header in enumerate(headers, start=1):
        name = stem = (header or "").strip() or f"column_{position}"
        again = 2
        while name in taken:
            name, again = f"{stem}_{again}", again + 1
        taken.add(name)
        given.append(name)
    return given


def match_columns(
    file: str,
    headers: Sequence[str],
    wanted: Iterable[str],
    columns: Mapping[str, str],
    aliases: Mapping[str, Sequence[str]] | None = None,
    section: str = "sources.owners.columns",
) -> dict[str, str]:
    """Our column → header of the file, for each of `wanted` that the file has."""
    folded = _first_by_fold(headers)
    found: dict[str, str] = {}
    for ours in wanted:
        header = _find(ours, headers, folded, columns, aliases or {})
        if header is not None:
            found[ours] = header
        elif ours in columns:
            raise HeaderError(file, columns[ours], headers, section)
    _refuse_twins(file, headers, found)
    return found


def _first_by_fold(headers: Sequence[str]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for header in headers:
        folded.setdefault(fold_header(header), header)
    folded.pop("", None)
    return folded


def _find(
    ours: str,
    headers: Sequence[str],
    folded: Mapping[str, str],
    columns: Mapping[str, str],
    aliases: Mapping[str, Sequence[str]],
) -> str | None:
    named = [columns[ours]] if ours in columns else []
    for name in [*named, ours]:
        if name in headers:
            return name
        if fold_header(name) in folded:
            return folded[fold_header(name)]
    return next((folded[alias] for alias in aliases.get(ours, ()) if alias in folded), None)


def _refuse_twins(file: str, headers: Sequence[str], found: Mapping[str, str]) -> None:
    times = Counter(headers)
    for header in found.values():
        if times[header] > 1:
            raise InputError(
                f"{file}: column '{header}' stands {times[header]} times; rename all but the one to be used."
            )
