"""PL3-01 workbooks → owner lines: one row = certificate × parcel × person.

Rules
- Every visible sheet with the layout is read; rows of a hidden one are rejected (`hidden-sheet`) unless the config
  names the sheet. Sheets without the layout are named in the notes.
- A row without text (but for its STT) is no row. Total rows, footers and repeated headers are rejected.
- A merged cell counts for each row it covers, in every column: the office has said so.
- Blank cells under a group's first row (no STT, no certificate of its own) take the certificate, its date, register
  number, kind of owner and commune from that row; a row without any parcel cell takes the parcel above it in the group.
  Where the sheet has no STT, only a row without certificate and parcel belongs to the row above. A blank row ends a
  group. A person's name, number, birth, sex, address and role are never taken from another row.
- The cadastral map's sheet and parcel number stand before those printed on the certificate.
- An organisation owns the row even where its representative is named: `owner_name` is then
  `organisation; người đại diện: name`, `owner_id_no` the organisation's, and the person's number is in
  `representative_id_no`.
- Extra columns: `current_user_name`, `current_user_id_no`, `permanent_address_2tier`, `change_reason`,
  `representative_id_no`.

>>> kind_code("Hộ gia đình"), role_code("Người đại diện"), kind_code("?")
('household', 'representative', None)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

import polars as pl

from linkage.schemas import OWNER_LINES, REJECTED
from linkage.sources.mapping import PART, ROW, HeaderError, plain_words
from linkage.sources.pl3_layout import Layout, find_layout
from linkage.sources.tables import MAX_VALUE_SHOWN, Matched, Taken, matched
from linkage.sources.workbooks import Sheet

EXTRA = ("current_user_name", "current_user_id_no", "permanent_address_2tier", "change_reason", "representative_id_no")
_KINDS = {
    "ca nhan": "individual",
    "ho gia dinh": "household",
    "vo chong": "couple",
    "dong su dung": "co_ownership",
    "cong dong": "community",
    "to chuc": "organisation",
}
_ROLES = {
    "ca nhan": "individual",
    "chu ho": "head",
    "chong": "husband",
    "vo": "wife",
    "nguoi dai dien": "representative",
    "dai dien": "representative",
    "thanh vien": "member",
}
_CERTIFICATE = ("certificate_serial", "certificate_no", "certificate_date")
_PARCEL = (
    "parcel_code", "paper_sheet_no", "paper_parcel_no", "cadastral_sheet_no", "cadastral_parcel_no", "map_scale",
    "parcel_address", "area_m2", "land_use_code",
)  # fmt: skip
_OF_GROUP = (*_CERTIFICATE, "owner_kind", "commune_code")
_FIELDS = (
    "serial_number", *_OF_GROUP, *_PARCEL, "organisation_name", "organisation_id_no", "owner_name", "owner_birth",
    "owner_sex", "owner_id_no", "owner_id_date", "owner_address", "owner_role", *EXTRA[:4],
    "co_owner_name", "co_owner_birth", "co_owner_sex", "co_owner_id_no", "owner_record_id",
)  # fmt: skip
_OURS = {
    "cadastral_sheet_no": "map_sheet_no",
    "cadastral_parcel_no": "parcel_no",
    "paper_sheet_no": "map_sheet_no",
    "paper_parcel_no": "parcel_no",
    "organisation_name": "owner_name",
    "organisation_id_no": "owner_id_no",
}
_NOTHING = r"^\s*(?:[-–—/.x0]+|n/?a|không(?: có)?|khong(?: co)?|null)\s*$"
_TOTAL = r"^\s*(?:(?:tổng cộng|tổng số|tong cong|tong so|grand total)\b|(?:tổng|cộng|cong|total)\s*[:.]?\s*(?:\d|\(|$))"
_FOOTER = (
    r"^\s*\(?(?:người lập|cán bộ|chủ tịch|thủ trưởng|giám đốc|ký,|ký tên|ký và|nơi nhận|ghi chú|lưu ý|ngày\b.*tháng)"
)
_WORDS = {
    "hidden-sheet": "the sheet is hidden; name it in the config to have it read",
    "total-row": "the row sums up others",
    "footer": "the row is a note or signature under the table",
    "repeated-header": "the row repeats the header",
}
_WHY, _GROUP, _BLOCK, _FIRST = "__why", "__group", "__block", "__first"


def take(file: str, sheets: Sequence[Sheet], *, named: bool) -> list[Taken]:
    """The owner lines of each PL3-01 sheet; an empty list where there is none."""
    found = _found(sheets)
    if not any(named or not sheet.hidden for sheet, _ in found):
        return []
    names = {sheet.name for sheet, _ in found}
    notes = tuple(
        f"{file}: sheet '{s.name}' is not a PL3-01 table and was not read" for s in sheets if s.name not in names
    )
    return [
        _taken(
            file,
            sheet,
            layout,
            part=_part(file, sheet, found),
            hidden=sheet.hidden and not named,
            notes=notes if i == 0 else (),
        )
        for i, (sheet, layout) in enumerate(found)
    ]


def originals(file: str, sheets: Sequence[Sheet], *, named: bool) -> list[pl.DataFrame]:
    """The rows of each PL3-01 sheet under their own headers, those that `take` rejects included."""
    found = _found(sheets)
    if not any(named or not sheet.hidden for sheet, _ in found):
        return []
    return [_original(_part(file, sheet, found), sheet, layout) for sheet, layout in found]


def refuse(file: str, sheets: Sequence[Sheet]) -> NoReturn:
    """The refusal of a workbook without a PL3-01 table."""
    texts = [cell for sheet in sheets for row in sheet.head(8) for cell in row if cell]
    raise HeaderError(file, "Họ tên chủ sử dụng/người đại diện", texts)


def kind_code(text: str) -> str | None:
    """The code of field 12, `Pháp nhân trên GCN`."""
    words = plain_words(text)
    return next((code for start, code in _KINDS.items() if words.startswith(start)), None)


def role_code(text: str) -> str | None:
    """The code of field 13, `Vai trò`."""
    words = plain_words(text)
    return next((code for start, code in _ROLES.items() if words == start or words.startswith(f"{start} ")), None)


def _found(sheets: Sequence[Sheet]) -> list[tuple[Sheet, Layout]]:
    layouts = [(sheet, find_layout(sheet)) for sheet in sheets]
    return [(sheet, layout) for sheet, layout in layouts if layout is not None]


def _part(file: str, sheet: Sheet, found: Sequence[tuple[Sheet, Layout]]) -> str:
    return f"{file}#{sheet.name}" if len(found) > 1 else file


def _original(part: str, sheet: Sheet, layout: Layout) -> pl.DataFrame:
    body = _body(sheet, layout)
    renamed = dict(zip(sheet.frame.columns[1:], layout.headers, strict=True))
    return body.select(pl.lit(part).alias(PART), pl.exclude(_FIRST)).rename(renamed)


def _taken(file: str, sheet: Sheet, layout: Layout, *, part: str, hidden: bool, notes: tuple[str, ...]) -> Taken:
    """One sheet: 1 its rows, 2 what is no owner's line, 3 merged and inherited cells, 4 our columns."""
    body = _body(sheet, layout)  # 1
    named = _named(body, layout).with_columns(_why(layout, hidden=hidden))  # 2
    kept = named[_WHY].is_null()
    merged = _named(_merged(body, sheet), layout)  # 3
    inherited = _inherited(merged.with_columns(serial_number=named["serial_number"]).filter(kept))
    place = f"{file}#{sheet.name}" if sheet.name else file
    lines = _lines(inherited, place).with_columns(pl.lit(part).alias(PART))  # 4
    return Taken(lines, _rejected(named.filter(~kept), part), layout.headers, "pl3-01", _account(part, layout), notes)


def _account(part: str, layout: Layout) -> Matched:
    """What each header became, under the names of our columns."""
    used = [(_OURS.get(field, field), layout.headers[position]) for field, position in layout.columns.items()]
    return matched(part, layout.headers, used)


def _body(sheet: Sheet, layout: Layout) -> pl.DataFrame:
    """The rows under the header that hold more than the number of an STT, with their first text."""
    number = layout.columns.get("serial_number")
    cells = [name for name in sheet.frame.columns if name not in {ROW, str(number)}]
    below = sheet.frame.slice(layout.first).with_columns(pl.coalesce(pl.exclude(ROW)).alias(_FIRST))
    said = pl.lit(value=False) if number is None else pl.col(str(number)).str.contains(r"\pL").fill_null(value=False)
    return below.filter(~pl.all_horizontal(pl.col(cells).is_null()) | said)


def _named(body: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The recognised fields under their names; those the sheet lacks are null."""
    found = [pl.col(str(position)).alias(field) for field, position in layout.columns.items()]
    absent = [pl.lit(None, pl.String).alias(field) for field in _FIELDS if field not in layout.columns]
    named = body.select(ROW, _FIRST, *found, *absent)
    something = ~pl.col("organisation_name").str.to_lowercase().str.contains(_NOTHING)
    return named.with_columns(pl.when(something).then("organisation_name").alias("organisation_name"))


def _why(layout: Layout, *, hidden: bool) -> pl.Expr:
    header = plain_words(layout.headers[layout.columns["owner_name"]])
    first, name = (pl.col(c).str.normalize("NFC").str.to_lowercase() for c in (_FIRST, "owner_name"))
    others = [f for f in _FIELDS if f not in {"owner_name", "serial_number"}]
    alone = pl.all_horizontal(pl.col(others).is_null())
    unnamed = pl.all_horizontal(pl.col("owner_id_no", "owner_birth", "certificate_serial", "owner_role").is_null())
    repeated = pl.col("owner_name").map_elements(lambda text: plain_words(text) == header, return_dtype=pl.Boolean)
    return (
        pl.when(pl.lit(hidden)).then(pl.lit("hidden-sheet"))
        .when(repeated).then(pl.lit("repeated-header"))
        .when(first.str.contains(_TOTAL) & unnamed).then(pl.lit("total-row"))
        .when((name.str.contains(_FOOTER) & alone) | (first.str.contains(_FOOTER) & unnamed & name.is_null()))
        .then(pl.lit("footer"))
        .alias(_WHY)
    )  # fmt: skip


def _rejected(refused: pl.DataFrame, part: str) -> pl.DataFrame:
    reason = pl.col(_WHY) + ": " + pl.col(_WHY).replace_strict(_WORDS, return_dtype=pl.String)
    value = pl.col(_FIRST).str.slice(0, MAX_VALUE_SHOWN)
    rows = refused.select(
        pl.lit(part).alias("file"),
        pl.col(ROW).alias("row"),
        pl.lit(None, pl.String).alias("column"),
        value.alias("value"),
        reason.alias("reason"),
    )
    return REJECTED.check(rows)


def _merged(body: pl.DataFrame, sheet: Sheet) -> pl.DataFrame:
    """The rows with each merged cell's text in all the rows it covers."""
    tall = [((top, left), bottom) for (top, left), (bottom, _) in sheet.merged if bottom > top]
    for column in sorted({left for (_, left), _ in tall}):
        cells = sheet.frame[str(column)].to_list()
        for (top, left), bottom in tall:
            if left == column and top < len(cells):
                cells[top : bottom + 1] = [cells[top]] * (min(bottom, len(cells) - 1) - top + 1)
        filled = pl.Series(str(column), cells, dtype=pl.String)
        body = body.with_columns(filled.gather(body[ROW] - 1))
    return body


def _inherited(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the certificate and parcel of their group where they have none of their own."""
    has_certificate = pl.any_horizontal(pl.col(_CERTIFICATE).is_not_null())
    has_parcel = pl.any_horizontal(pl.col(_PARCEL).is_not_null())
    numbered = rows["serial_number"].null_count() < rows.height
    opens = (pl.col("serial_number").is_not_null() | has_certificate) if numbered else (has_certificate | has_parcel)
    gap = pl.col(ROW).diff().fill_null(2) > 1
    grouped = rows.with_columns((opens | gap).cum_sum().alias(_GROUP))
    grouped = grouped.with_columns(has_parcel.cum_sum().over(_GROUP).alias(_BLOCK))
    of_group = [pl.coalesce(pl.col(c), pl.col(c).first().over(_GROUP)).alias(c) for c in _OF_GROUP]
    of_parcel = [
        pl.when(has_parcel).then(pl.col(c)).otherwise(pl.col(c).first().over(_GROUP, _BLOCK)).alias(c) for c in _PARCEL
    ]
    return grouped.with_columns(*of_group, *of_parcel)


def _lines(rows: pl.DataFrame, place: str) -> pl.DataFrame:
    """The contract's columns from the fields of the form."""
    organisation, person = pl.col("organisation_name"), pl.col("owner_name")
    owned = organisation.is_not_null()
    cadastral = pl.any_horizontal(pl.col("cadastral_sheet_no", "cadastral_parcel_no").is_not_null())
    kind = _coded("owner_kind", rows, kind_code)
    lines = rows.with_columns(
        pl.coalesce("owner_record_id", pl.concat_str(pl.lit(f"{place}!"), pl.col(ROW).cast(pl.String))),
        pl.when(owned & person.is_not_null())
        .then(pl.concat_str(organisation, pl.lit("; người đại diện: "), person))
        .otherwise(pl.coalesce(organisation, person))
        .alias("owner_name"),
        pl.when(owned).then("organisation_id_no").otherwise("owner_id_no").alias("owner_id_no"),
        pl.when(owned).then("owner_id_no").alias("representative_id_no"),
        pl.when(owned & (kind != "community").fill_null(value=True))
        .then(pl.lit("organisation"))
        .otherwise(kind)
        .alias("owner_kind"),
        _coded("owner_role", rows, role_code).alias("owner_role"),
        pl.when(cadastral).then("cadastral_sheet_no").otherwise("paper_sheet_no").alias("map_sheet_no"),
        pl.when(cadastral).then("cadastral_parcel_no").otherwise("paper_parcel_no").alias("parcel_no"),
    )
    absent = [pl.lit(None, pl.String).alias(c) for c in OWNER_LINES.columns if c not in lines.columns]
    return lines.with_columns(absent).select(*OWNER_LINES.columns, *EXTRA)


def _coded(column: str, rows: pl.DataFrame, code: Callable[[str], str | None]) -> pl.Expr:
    codes = {text: code(text) for text in rows[column].drop_nulls().unique().to_list()}
    return pl.col(column).replace_strict(codes, default=None, return_dtype=pl.String)
