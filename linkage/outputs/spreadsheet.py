"""Big workbooks, fast: XLSX whose every cell is text.

Rules
- A cell is text (format `@`, `quotePrefix` set): it cannot start a formula, not even after an officer edits it, and an
  id keeps its leading zeros. Numbers are number cells only in columns named in `Sheet.numeric`.
- Rows keep their order; a sheet longer than Excel allows (1,048,576 rows with the header) goes on in `… (2)`.
- Sheet names keep their Vietnamese letters; what Excel forbids in them is replaced, and each is made unique.
- The file appears in full or not at all; the same content gives the same bytes.
- Memory does not grow with the number of rows: rows are turned into XML and deflated a few thousand at a time.

>>> import tempfile
>>> rows = pl.DataFrame({"xa": ["Xã A", "Xã B", "Xã A"], "cccd": ["001", "=1+1", None]})
>>> with tempfile.TemporaryDirectory() as folder:
...     sheets = split_by(rows, "xa", lambda commune: commune or "Không rõ xã")
...     written = write_workbook(Path(folder) / "links.xlsx", sheets)
>>> [(sheet.name, sheet.rows) for sheet in written.sheets]
[('Xã A', 2), ('Xã B', 1)]
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import polars as pl

from linkage.errors import LinkageError
from linkage.outputs.durable import replacing
from linkage.outputs.sheet_xml import HEADER_STYLE, TEXT_STYLE, column_letters, rows_xml, xml_escaped
from linkage.outputs.zip_stream import Write, ZipStream

MAX_SHEET_ROWS = 1_048_576
MAX_SHEET_COLUMNS = 16_384
MAX_SHEET_NAME_UNITS = 31

_CELLS_PER_CHUNK = 150_000  # measured: pieces of this size stay in the processor's cache
_BYTES_PER_CHUNK = 16 << 20
_ROWS_PER_GATHER = 50_000
_DEFAULT_WIDTH = 14.0
_MAX_WIDTH = 255.0  # a wider column makes Excel call the file damaged
_DEFAULT_SHEET_NAME = "Trang"


@dataclass(frozen=True)
class Sheet:
    """One sheet to write: its rows (one frame or several in turn) and how they look.

    `header_labels` and `column_widths` (in characters) are by column name; a column without one shows its own name.
    """

    name: str
    frame: pl.DataFrame | Iterable[pl.DataFrame]
    header_labels: Mapping[str, str] = field(default_factory=dict)
    column_widths: Mapping[str, float] = field(default_factory=dict)
    freeze_header: bool = True
    autofilter: bool = True
    numeric: Collection[str] = ()


@dataclass(frozen=True)
class WrittenSheet:
    """A sheet as it stands in the file; `rows` without the header."""

    name: str
    rows: int
    columns: int
    filtered: bool


@dataclass(frozen=True)
class WrittenWorkbook:
    """What `write_workbook` wrote; `cut_cells` counts texts longer than a cell can hold."""

    path: Path
    sheets: tuple[WrittenSheet, ...]
    cut_cells: int

    @property
    def rows(self) -> int:
        """All data rows of all sheets."""
        return sum(sheet.rows for sheet in self.sheets)


def write_workbook(path: Path, sheets: Iterable[Sheet]) -> WrittenWorkbook:
    """Writes the workbook `path`, atomically; sheets are drawn one at a time, so they may be made on the way."""
    with replacing(path) as file, ZipStream(file) as archive:
        book = _Book(archive)
        book.put("_rels/.rels", _PACKAGE_RELATIONS)
        book.put("xl/styles.xml", _STYLES)
        for sheet in sheets:
            book.add(sheet)
        book.finish()
    return WrittenWorkbook(path, tuple(book.written), book.cut_cells)


def split_by(
    frame: pl.DataFrame, column: str, name_of: Callable[[str | None], str], like: Sheet | None = None
) -> list[Sheet]:
    """One sheet per value of `column`, in the order of first appearance; `like` gives labels, widths and the rest."""
    model = like or Sheet("", frame)
    groups = (
        frame.select(
            pl.col(column).cast(pl.String).alias("value"), pl.int_range(pl.len(), dtype=pl.UInt32).alias("row")
        )
        .group_by("value", maintain_order=True)
        .agg("row")
    )
    return [
        replace(model, name=name_of(value), frame=_RowsOf(frame, rows))
        for value, rows in zip(groups["value"], groups["row"], strict=True)
    ]


def sheet_name(wanted: str, taken: AbstractSet[str] = frozenset(), number: int = 1) -> str:
    """A name Excel allows that is not in `taken` (case-folded); `number` above 1 is shown as ` (2)`.

    >>> sheet_name("Xã Tân Lập [A/B]"), sheet_name("Xã A", {"xã a"}), sheet_name("")
    ('Xã Tân Lập (A-B)', 'Xã A (2)', 'Trang')
    """
    base = _allowed(wanted) or _DEFAULT_SHEET_NAME
    while True:
        suffix = f" ({number})" if number > 1 else ""
        name = _first_units(base, MAX_SHEET_NAME_UNITS - len(suffix)).rstrip(" '") + suffix
        if name.casefold() not in taken:
            return name
        number += 1


_FORBIDDEN_IN_NAMES = str.maketrans({"[": "(", "]": ")", ":": "-", "*": "-", "?": "-", "/": "-", "\\": "-"})


def _allowed(name: str) -> str:
    composed = unicodedata.normalize("NFC", name)
    printable = "".join(char for char in composed if unicodedata.category(char)[0] != "C")
    cleaned = printable.translate(_FORBIDDEN_IN_NAMES).strip(" '")
    return f"{cleaned}-" if cleaned.casefold() == "history" else cleaned  # Excel keeps "History" for itself


def _first_units(text: str, units: int) -> str:
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", errors="ignore")


@dataclass(frozen=True)
class _RowsOf:
    """Some rows of a frame, gathered a piece at a time whenever they are asked for."""

    frame: pl.DataFrame
    rows: pl.Series

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for start in range(0, len(self.rows), _ROWS_PER_GATHER):
            yield self.frame[self.rows.slice(start, _ROWS_PER_GATHER)]


class _Book:
    """The parts of a workbook, in the order a stream can write them: the list of sheets comes last."""

    def __init__(self, archive: ZipStream) -> None:
        self._archive = archive
        self._taken: set[str] = set()
        self.written: list[WrittenSheet] = []
        self.cut_cells = 0

    def put(self, part: str, xml: str) -> None:
        with self._archive.member(part) as write:
            write(f"{_XML}{xml}".encode())

    def add(self, sheet: Sheet) -> None:
        """Writes a sheet, and its continuations where it has more rows than one sheet holds."""
        columns, chunks = _columns_and_chunks(sheet)
        number, rest = 1, chunks
        while True:
            name = sheet_name(sheet.name, self._taken, number)
            self._taken.add(name.casefold())
            rest, more = self._add_part(sheet, name, columns, rest)
            number += 1
            if not more:
                return

    def finish(self) -> None:
        if not self.written:
            self.add(Sheet("", pl.DataFrame()))
        self.put("xl/workbook.xml", _workbook_xml(self.written))
        self.put("xl/_rels/workbook.xml.rels", _relations_xml(len(self.written)))
        self.put("[Content_Types].xml", _content_types_xml(len(self.written)))

    def _add_part(
        self, sheet: Sheet, name: str, columns: list[str], chunks: Iterator[pl.DataFrame]
    ) -> tuple[Iterator[pl.DataFrame], bool]:
        """One sheet of the file; gives back the rows it had no room for, and whether there are any."""
        with self._archive.member(f"xl/worksheets/sheet{len(self.written) + 1}.xml") as write:
            write((_XML + _sheet_head(sheet, columns, is_first=not self.written)).encode())
            row = 1 + self._write_header(sheet, columns, write)
            first_row = row
            rest = None
            for chunk in chunks:
                room = MAX_SHEET_ROWS - row + 1
                row += self._write_rows(chunk.head(room), row, sheet.numeric, write)
                if chunk.height > room:
                    rest = chunk.slice(room)
                    break
            filtered = sheet.autofilter and bool(columns)
            write(_sheet_tail(len(columns), row - 1, filtered=filtered).encode())
        self.written.append(WrittenSheet(name, row - first_row, len(columns), filtered))
        return (chunks, False) if rest is None else (chain([rest], chunks), True)

    def _write_header(self, sheet: Sheet, columns: list[str], write: Write) -> int:
        labels = [sheet.header_labels.get(column, column) for column in columns]
        header = pl.DataFrame([labels], schema=[str(index) for index in range(len(labels))], orient="row")
        return self._write_rows(header, 1, (), write, HEADER_STYLE) if labels else 0

    def _write_rows(
        self, frame: pl.DataFrame, row: int, numeric: Collection[str], write: Write, style: int = TEXT_STYLE
    ) -> int:
        for part in _pieces(frame):
            xml = rows_xml(part, row, numeric=numeric, style=style)
            write(xml.data)
            row += part.height
            self.cut_cells += xml.cut_cells
        return frame.height


def _pieces(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Slices small enough to be turned into XML at once, whatever the number of columns and the length of texts."""
    step = max(1, _CELLS_PER_CHUNK // max(1, frame.width))
    for start in range(0, frame.height, step):
        yield from _halved(frame.slice(start, step))


def _halved(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    if frame.height == 1 or frame.estimated_size() <= _BYTES_PER_CHUNK:
        yield frame
        return
    half = frame.height // 2
    yield from _halved(frame.slice(0, half))
    yield from _halved(frame.slice(half))


def _columns_and_chunks(sheet: Sheet) -> tuple[list[str], Iterator[pl.DataFrame]]:
    chunks = iter([sheet.frame] if isinstance(sheet.frame, pl.DataFrame) else sheet.frame)
    first = next(chunks, None)
    if first is None:
        return list(sheet.header_labels), iter(())
    columns = first.columns
    if len(columns) > MAX_SHEET_COLUMNS:
        raise LinkageError(
            f"sheet '{sheet.name}': expected at most {MAX_SHEET_COLUMNS} columns, found {len(columns)}; leave some out."
        )
    return columns, (chunk.select(columns) for chunk in chain([first], chunks))


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_CONTENT = "application/vnd.openxmlformats-officedocument.spreadsheetml"

_PACKAGE_RELATIONS = (
    f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{_OFFICE_RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>'
)

# Cell formats by number: 0 general, 1 text, 2 header, 3 number. 49 is Excel's own format "@".
_STYLES = (
    f'<styleSheet xmlns="{_MAIN}">'
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/><family val="2"/></font>'
    '<font><b/><sz val="11"/><name val="Calibri"/><family val="2"/></font></fonts>'
    '<fills count="3"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill>'
    '<fill><patternFill patternType="solid"><fgColor rgb="FFE2ECE6"/><bgColor indexed="64"/></patternFill></fill>'
    "</fills>"
    '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
    '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
    '<cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    '<xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1"/>'
    '<xf numFmtId="49" fontId="1" fillId="2" borderId="0" xfId="0" quotePrefix="1" applyNumberFormat="1" '
    'applyFont="1" applyFill="1" applyAlignment="1"><alignment vertical="top" wrapText="1"/></xf>'
    '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>'
    "</styleSheet>"
)


def _sheet_head(sheet: Sheet, columns: list[str], *, is_first: bool) -> str:
    selected = ' tabSelected="1"' if is_first else ""
    pane = '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' if sheet.freeze_header else ""
    return (
        f'<worksheet xmlns="{_MAIN}">'
        f'<sheetViews><sheetView{selected} workbookViewId="0">{pane}</sheetView></sheetViews>'
        f'<sheetFormatPr defaultRowHeight="15"/>{_columns_xml(sheet, columns)}<sheetData>'
    )


def _columns_xml(sheet: Sheet, columns: list[str]) -> str:
    """Widths; the text format of the column also holds for the cells left out, which an officer may fill in."""
    entries = [
        f'<col min="{index}" max="{index}" width="{min(sheet.column_widths.get(name, _DEFAULT_WIDTH), _MAX_WIDTH):g}" '
        f'style="{0 if name in sheet.numeric else TEXT_STYLE}" customWidth="1"/>'
        for index, name in enumerate(columns, 1)
    ]
    return f"<cols>{''.join(entries)}</cols>" if entries else ""


def _sheet_tail(columns: int, last_row: int, *, filtered: bool) -> str:
    """What follows the rows; Excel is told not to mark every id as "a number stored as text"."""
    area = f"A1:{column_letters(max(columns, 1) - 1)}{max(last_row, 1)}"
    autofilter = f'<autoFilter ref="{area}"/>' if filtered else ""
    return (
        f"</sheetData>{autofilter}"
        '<pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/>'
        f'<ignoredErrors><ignoredError sqref="{area}" numberStoredAsText="1"/></ignoredErrors></worksheet>'
    )


def _workbook_xml(sheets: list[WrittenSheet]) -> str:
    listed = "".join(
        f'<sheet name="{xml_escaped(sheet.name)}" sheetId="{number}" r:id="rId{number}"/>'
        for number, sheet in enumerate(sheets, 1)
    )
    names = "".join(_filter_name(sheet, index) for index, sheet in enumerate(sheets) if sheet.filtered)
    defined = f"<definedNames>{names}</definedNames>" if names else ""
    return (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE_RELATIONS}"><bookViews><workbookView/></bookViews>'
        f"<sheets>{listed}</sheets>{defined}</workbook>"
    )


def _filter_name(sheet: WrittenSheet, index: int) -> str:
    """The hidden name by which Excel knows the filtered area."""
    quoted = xml_escaped(sheet.name.replace("'", "''"))
    area = f"$A$1:${column_letters(sheet.columns - 1)}${sheet.rows + 1}"
    return (
        f'<definedName name="_xlnm._FilterDatabase" localSheetId="{index}" hidden="1">\'{quoted}\'!{area}</definedName>'
    )


def _relations_xml(sheets: int) -> str:
    entries = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE_RELATIONS}/worksheet" Target="worksheets/sheet{number}.xml"/>'
        for number in range(1, sheets + 1)
    )
    styles = f'<Relationship Id="rId{sheets + 1}" Type="{_OFFICE_RELATIONS}/styles" Target="styles.xml"/>'
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{entries}{styles}</Relationships>'


def _content_types_xml(sheets: int) -> str:
    entries = "".join(
        f'<Override PartName="/xl/worksheets/sheet{number}.xml" ContentType="{_CONTENT}.worksheet+xml"/>'
        for number in range(1, sheets + 1)
    )
    return (
        f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_CONTENT}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_CONTENT}.styles+xml"/>{entries}</Types>'
    )
