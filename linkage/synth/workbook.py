"""A sample of the register as the campaign's own workbook, PL3-01 (guidance letter 2071/QLĐĐ-TKKKTTĐĐ).

Rules
- Column A is STT, B to AX the 49 fields; titles above, field numbers in row 6, data from row 7, a total at the end.
- One row is certificate × parcel × person. STT and the certificate's fields stand on the first row of a group only, and
  are merged over it. A number that lost its zero is a number cell, every other id is text.
- The sample is that of one commune; its truth names rows as `<file>#<sheet>!<row>`.

>>> len(HEADERS), HEADERS[9][1]
(49, 'Số định danh/CCCD')
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import polars as pl
import xlsxwriter  # type: ignore[import-untyped]

from linkage.synth.draw import Flags, Ints, Rng
from linkage.synth.holdings import CO_OWNERSHIP, COUPLE, HOUSEHOLD, ORGANISATION
from linkage.synth.mentions import Mentions
from linkage.synth.names import text_of
from linkage.synth.organisations import Bodies
from linkage.synth.places import NEW_FORM
from linkage.synth.population import Tree, digits
from linkage.synth.register import named_truth
from linkage.synth.world import World

FILE, SHEET, TRUTH = "PL3-01.xlsx", "PL3-01", "pl3-01_truth.parquet"
FIRST_ROW = 7
_ROWS = 1_500
_LAND = ("Loại đất", "Diện tích loại đất (m²)", "Nguồn gốc sử dụng", "Hình thức sử dụng", "Thời hạn sử dụng")
HEADERS: tuple[tuple[str, str], ...] = (
    ("1", "Mã ĐVHC cấp xã"), ("2", "Số phát hành GCN"), ("3", "Ngày cấp"), ("4", "Số vào sổ"), ("5", "Tên tổ chức"),
    ("6", "Số định danh tổ chức"), ("7", "Họ tên chủ sử dụng/người đại diện"), ("8", "Ngày tháng năm sinh"),
    ("9", "Giới tính"), ("10", "Số định danh/CCCD"), ("11", "Địa chỉ thường trú"), ("12", "Pháp nhân trên GCN"),
    ("13", "Vai trò"), ("", "Tên người sử dụng hiện tại"), ("", "CCCD người hiện tại"),
    ("14", "Địa chỉ thường trú 2 cấp"), ("15", "Lý do thay đổi"), ("16", "Mã định danh thửa"), ("17", "Số tờ trên GCN"),
    ("18", "Số thửa trên GCN"), ("19", "Số tờ BĐĐC"), ("20", "Số thửa BĐĐC"), ("23", "Địa chỉ thửa"),
    ("24", "Diện tích"),
    *((str(25 + 5 * block + k), f"{label} {block + 1}") for block in range(3) for k, label in enumerate(_LAND)),
    ("40", "Loại tài sản"), ("41", "Khu chung cư"), ("42", "Nhà chung cư"), ("43", "Số căn hộ"), ("44", "DT xây dựng"),
    ("45", "DT sàn"), ("46", "Hình thức sở hữu"), ("47", "Thời hạn"), ("48", "Cấp hạng"), ("49", "Tên file quét"),
)  # fmt: skip
_FIELD = {label: k for k, (_, label) in enumerate(HEADERS)}
_KINDS = ("Cá nhân", "Vợ chồng", "Hộ gia đình", "Đồng sử dụng", "Tổ chức", "Cộng đồng dân cư", "Cộng đồng dân cư")
_CERTIFICATE_FIELDS = ("Số phát hành GCN", "Ngày cấp", "Số vào sổ")
_LAND_NAMES = {
    "ONT": "Đất ở tại nông thôn", "ODT": "Đất ở tại đô thị", "LUC": "Đất chuyên trồng lúa",
    "CLN": "Đất trồng cây lâu năm",
    "BHK": "Đất trồng cây hàng năm khác", "RSX": "Đất rừng sản xuất", "NTS": "Đất nuôi trồng thủy sản",
    "NHK": "Đất nương rẫy trồng cây hàng năm khác", "T": "T",
}  # fmt: skip
_MADE = datetime(2025, 10, 31)  # noqa: DTZ001 -- a workbook has no time zone; a fixed date keeps the file repeatable


@dataclass(frozen=True)
class Source:
    """What the sample is taken from; `names` by mention and `addresses` by certificate, as on the paper."""

    world: World
    mentions: Mentions
    names: pl.Series
    glued: Flags
    parcels: pl.DataFrame
    issued: pl.DataFrame
    addresses: pl.Series
    bodies: Bodies


def write_workbook(rng: Rng, source: Source, out: Path) -> None:
    """The workbook and its truth (`pl3-01_truth.parquet`)."""
    rows, named, groups = _rows(rng, source, _sample(source))
    _write(out / FILE, rows, groups)
    key = {
        "owner_record_id": [f"{FILE}#{SHEET}!{FIRST_ROW + k}" for k in range(len(rows))],
        "role": ["owner"] * len(rows),
    }
    mention, body = np.array(named, dtype=np.int64).reshape(-1, 2).T
    truth = pl.DataFrame(key, schema={"owner_record_id": pl.String, "role": pl.String})
    truth.with_columns(named_truth(source.world, source.mentions, mention, body)).write_parquet(out / TRUTH)


def _sample(source: Source) -> Ints:
    """Certificates of the first commune, until they fill the sheet."""
    made = source.world.certificates
    here = np.flatnonzero(source.world.places.hamlet_commune[made.hamlet] == 0)
    rows = np.cumsum((made.parcels * np.maximum(made.named, 1))[here])
    return here[rows <= _ROWS]


def _rows(rng: Rng, source: Source, sample: Ints) -> tuple[list[list[object]], list[tuple[int, int]], list[int]]:
    """Cells of each row, the mention and body it names, and the number of rows of each group."""
    made = source.world.certificates
    count = made.named
    first_parcel, first_mention = (np.cumsum(size) - size for size in (made.parcels, count))
    heir = _first_children(source.world.tree)
    rows: list[list[object]] = []
    named, groups = [], []
    for certificate in sample.tolist():
        before, body = len(rows), int(source.bodies.of[certificate])
        people = range(first_mention[certificate], first_mention[certificate] + count[certificate])
        users = [_person_cells(rng, source, certificate, mention, heir) for mention in people]
        for parcel in range(first_parcel[certificate], first_parcel[certificate] + made.parcels[certificate]):
            land = _parcel_cells(rng, source, certificate, parcel)
            rows += [_line(land | user) for user in users or [_body_cells(source, certificate)]]
            named += [(mention, body) for mention in people or (-1,)]
        _certificate_cells(source, certificate, rows[before])
        groups.append(len(rows) - before)
    return rows, named, groups


def _line(cells: dict[str, object]) -> list[object]:
    line: list[object] = [None] * len(HEADERS)
    for label, value in cells.items():
        line[_FIELD[label]] = value
    return line


def _certificate_cells(source: Source, certificate: int, line: list[object]) -> None:
    issued = source.issued.row(certificate)
    for label, value in zip(_CERTIFICATE_FIELDS, (issued[0], issued[2], issued[1]), strict=True):
        line[_FIELD[label]] = value
    if issued[0]:
        serial = issued[0].replace(" ", "")
        line[_FIELD["Tên file quét"]] = f"{serial}-GCN.pdf; {serial}-GT.pdf"


def _parcel_cells(rng: Rng, source: Source, certificate: int, parcel: int) -> dict[str, object]:
    land = source.parcels.row(parcel, named=True)
    area, use = float(land["area_m2"]), land["land_use_code"]
    farm = use not in ("ONT", "ODT", "T")
    cells: dict[str, object] = {
        "Mã ĐVHC cấp xã": land["commune_code"], "Mã định danh thửa": land["parcel_code"],
        "Số tờ trên GCN": land["map_sheet_no"],
        "Số thửa trên GCN": land["parcel_no"], "Số tờ BĐĐC": land["map_sheet_no"], "Số thửa BĐĐC": land["parcel_no"],
        "Địa chỉ thửa": land["parcel_address"], "Diện tích": area,
        "Pháp nhân trên GCN": _KINDS[source.world.certificates.kind[certificate]],
    }  # fmt: skip
    cells |= _use_cells(
        0, _LAND_NAMES[use], area, "DG-KTT" if farm else "CNQ-CTT", "Đến 15/10/2043" if farm else "Lâu dài"
    )
    if not farm and area > 250:
        cells |= _use_cells(0, _LAND_NAMES[use], 200.0, "CNQ-CTT", "Lâu dài")
        cells |= _use_cells(1, _LAND_NAMES["CLN"], round(area - 200, 1), "CNQ-CTT", "Đến 15/10/2043")
    if not farm and rng.random() < 0.6:
        built = round(float(rng.uniform(50, 140)), 1)
        cells |= {"Loại tài sản": "Nhà ở riêng lẻ", "DT xây dựng": built, "DT sàn": built,
                  "Hình thức sở hữu": "Sở hữu riêng", "Thời hạn": "-/-", "Cấp hạng": "Cấp 4"}  # fmt: skip
    return cells


def _use_cells(block: int, use: str, area: float, origin: str, term: str) -> dict[str, object]:
    return {
        f"{label} {block + 1}": value
        for label, value in zip(_LAND, (use, area, origin, "Sử dụng riêng", term), strict=True)
    }


def _body_cells(source: Source, certificate: int) -> dict[str, object]:
    body = int(source.bodies.of[certificate])
    name = source.bodies.names[body]
    if source.world.certificates.kind[certificate] == ORGANISATION:
        return {"Tên tổ chức": name, "Số định danh tổ chức": source.bodies.tax_codes[body], "Vai trò": "Người đại diện"}
    return {"Họ tên chủ sử dụng/người đại diện": name, "Vai trò": "Người đại diện"}


def _person_cells(rng: Rng, source: Source, certificate: int, mention: int, heir: Ints) -> dict[str, object]:
    mentions, made = source.mentions, source.world.certificates
    man = bool(source.world.tree.male[mentions.person[mention]])
    name = source.names[mention]
    slot = int(mentions.slot[mention])
    if source.glued[certificate]:
        house = "Hộ " if made.kind[certificate] == HOUSEHOLD and slot == 0 else ""
        title = ("ông " if man else "bà ") if house else ("Ông " if man else "Bà ")
        name = f"{house}{title}{name}"
    sex = {"M": "Nam", "F": "Nữ"}.get(mentions.sex[mention] or "", mentions.sex[mention])
    cells: dict[str, object] = {
        "Họ tên chủ sử dụng/người đại diện": name, "Ngày tháng năm sinh": mentions.birth[mention], "Giới tính": sex,
        "Số định danh/CCCD": _id_cell(mentions.id_no[mention]), "Địa chỉ thường trú": source.addresses[certificate],
        "Vai trò": _role(int(made.kind[certificate]), slot, man=man),
    }  # fmt: skip
    if made.changed[certificate]:
        cells |= _change_cells(rng, source, mention, heir)
    return cells


def _id_cell(text: str | None) -> object:
    """A number that a spreadsheet took for a quantity is a number cell."""
    if text and (len(text) in (10, 11) or "." in text) and text.replace(".", "", 1).replace("E+", "", 1).isdigit():
        return float(text)
    return text


def _role(kind: int, slot: int, *, man: bool) -> str:
    if kind == COUPLE:
        return "Chồng" if man else "Vợ"
    if kind == HOUSEHOLD:
        return "Chủ hộ" if slot == 0 else ("Chồng" if man else "Vợ")
    if kind == CO_OWNERSHIP:
        return "Người đại diện" if slot == 0 else "Thành viên"
    return "Cá nhân"


def _change_cells(rng: Rng, source: Source, mention: int, heir: Ints) -> dict[str, object]:
    """The user of today, where land changed hands without registration."""
    person = int(source.mentions.person[mention])
    tree = source.world.tree
    child = int(heir[person]) >= 0 and bool(tree.alive[heir[person]])
    user = int(heir[person]) if child else int(rng.choice(np.flatnonzero(tree.alive & (tree.birth < 2000))))
    reason = ("Tặng cho" if tree.alive[person] else "Thừa kế") if child else "Chuyển nhượng"
    return {
        "Tên người sử dụng hiện tại": text_of(tree.name[[user]])[0],
        "CCCD người hiện tại": digits(source.world.numbers.citizen[[user]], 12)[0],
        "Địa chỉ thường trú 2 cấp": source.world.places.address(tree.hamlet[[user]], np.array([NEW_FORM]))[0],
        "Lý do thay đổi": reason,
    }


def _first_children(tree: Tree) -> Ints:
    child = np.full(len(tree), -1, dtype=np.int64)
    for parent in (tree.father, tree.mother):
        known = np.flatnonzero(parent >= 0)[::-1]
        child[parent[known]] = known
    return child


def _write(path: Path, rows: list[list[object]], groups: list[int]) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": _MADE})
    sheet = book.add_worksheet(SHEET)
    bold = book.add_format({"bold": True, "text_wrap": True, "align": "center", "valign": "vcenter", "border": 1})
    middle = book.add_format({"valign": "vcenter"})
    _write_head(sheet, bold)
    for k, line in enumerate(rows):
        for column, value in enumerate(line, start=1):
            _cell(sheet, FIRST_ROW - 1 + k, column, value)
    _write_groups(sheet, rows, groups, middle)
    last = FIRST_ROW - 1 + len(rows)
    sheet.write_string(last, 1, "Tổng cộng", bold)
    sheet.write_number(last, 1 + _FIELD["Diện tích"], sum(_as_area(line) for line in rows))
    hidden = book.add_worksheet("Danh mục")
    hidden.write_column(0, 0, sorted(set(_KINDS)))
    hidden.hide()
    book.close()


def _as_area(line: list[object]) -> float:
    value = line[_FIELD["Diện tích"]]
    return value if isinstance(value, float) else 0.0


def _cell(sheet: xlsxwriter.worksheet.Worksheet, row: int, column: int, value: object) -> None:
    if isinstance(value, float):
        sheet.write_number(row, column, value)
    elif value is not None:
        sheet.write_string(row, column, str(value))


def _write_head(sheet: xlsxwriter.worksheet.Worksheet, bold: xlsxwriter.format.Format) -> None:
    sheet.write_string(0, 0, "Phụ lục 3-01. DANH SÁCH CHỦ SỬ DỤNG ĐẤT, THỬA ĐẤT, GIẤY CHỨNG NHẬN", bold)
    sheet.write_string(1, 0, "(Kèm theo Công văn số 2071/QLĐĐ-TKKKTTĐĐ ngày 05/9/2025)")
    blocks = (
        (1, 4, "Giấy chứng nhận"),
        (5, 17, "Chủ sử dụng"),
        (18, 39, "Thửa đất"),
        (40, 48, "Tài sản gắn liền với đất"),
    )
    sheet.merge_range(3, 0, 4, 0, "STT", bold)
    for first, last, title in blocks:
        sheet.merge_range(3, first, 3, last, title, bold)
    sheet.write_string(3, 49, "Hồ sơ quét", bold)
    for column, (number, label) in enumerate(HEADERS, start=1):
        sheet.write_string(4, column, label, bold)
        sheet.write_string(5, column, number, bold)


def _write_groups(
    sheet: xlsxwriter.worksheet.Worksheet, rows: list[list[object]], groups: list[int], middle: xlsxwriter.format.Format
) -> None:
    """STT and the certificate's cells, merged over a group of rows."""
    start = 0
    for number, size in enumerate(groups, start=1):
        top = FIRST_ROW - 1 + start
        sheet.write_number(top, 0, number)
        if size > 1:
            sheet.merge_range(top, 0, top + size - 1, 0, number, middle)
            for label in _CERTIFICATE_FIELDS:
                value = rows[start][_FIELD[label]]
                sheet.merge_range(top, 1 + _FIELD[label], top + size - 1, 1 + _FIELD[label], value or "", middle)
        start += size
