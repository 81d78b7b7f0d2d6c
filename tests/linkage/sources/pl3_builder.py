"""PL3-01 workbooks with every variant that offices hand in, and what a reader must make of them.

`build(path, rows)` writes four sheets of registers and one of instructions, and returns what stands where.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import xlsxwriter

CERTIFICATE = ["Số phát hành GCN", "Ngày cấp", "Số vào sổ"]
PERSON = [
    "Tên tổ chức", "Số định danh tổ chức", "Họ tên chủ sử dụng/\nngười đại diện", "Ngày tháng năm sinh", "Giới tính",
    "Số định danh/CCCD", "Địa chỉ thường trú", "Pháp nhân trên GCN", "Vai trò", "Tên người sử dụng hiện tại",
    "CCCD người hiện tại", "Địa chỉ thường trú 2 cấp", "Lý do thay đổi",
]  # fmt: skip
PARCEL = [
    "Mã định danh thửa",
    "Số tờ trên GCN",
    "Số thửa trên GCN",
    "Số tờ BĐĐC",
    "Số thửa BĐĐC",
    "Địa chỉ thửa",
    "Diện tích",
]
USES = ["Loại đất", "Diện tích", "Nguồn gốc", "Hình thức", "Thời hạn"]
ASSET = [
    "Loại tài sản", "Khu chung cư", "Nhà chung cư", "Số căn hộ", "Diện tích xây dựng", "Diện tích sàn",
    "Hình thức sở hữu", "Thời hạn", "Cấp hạng", "Tên file quét",
]  # fmt: skip
HEADERS = ["STT", "Mã ĐVHC cấp xã", *CERTIFICATE, *PERSON, *PARCEL, *USES * 3, *ASSET]
GROUPS = [
    (0, 1, ""),
    (2, 4, "Thông tin giấy chứng nhận"),
    (5, 17, "Thông tin chủ sử dụng"),
    (18, 24, "Thông tin thửa đất"),
]
NAME = HEADERS.index(PERSON[2])
SURNAMES = ["Nguyễn Văn", "Trần Thị", "Lê Đức", "Hồ", "Phạm Ngọc"]
GIVEN = ["Hùng", "Thủy", "Ánh", "Tý", "Phước", "Quý", "Mỹ"]


@dataclass
class Expected:
    """What a reader must find: ids of the lines used, their serial, and how often each reason of refusal."""

    serials: dict[str, str | None] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def rows(self) -> int:
        return len(self.names) + self.reasons.total()


class Writer:
    """Writes one sheet row by row in one layout."""

    def __init__(
        self, book: xlsxwriter.Workbook, name: str, expected: Expected, *, shift: int = 0, columns: int = 50
    ) -> None:
        self.sheet = book.add_worksheet(name)
        self.twelve = book.add_format({"num_format": "000000000000"})
        self.place = f"{Path(book.filename).name}#{name}"
        self.expected, self.shift, self.columns, self.row = expected, shift, columns, 0
        self.merge_certificates = False
        self.hidden = False

    def cell(self, column: int, value: object) -> None:
        if column < self.columns and value is not None:
            style = self.twelve if HEADERS[column] == PERSON[5] and isinstance(value, int) else None
            self.sheet.write(self.row, column + self.shift, value, style)

    def header(self, *, two_rows: bool) -> None:
        self.sheet.merge_range(
            0, self.shift, 0, self.shift + 12, "PHỤ LỤC 3-01: THỐNG KÊ CHỦ SỬ DỤNG ĐẤT, TỔ CHỨC, THỬA ĐẤT"
        )
        self.row = 3
        if two_rows:
            for first, last, title in GROUPS[1:]:
                self.sheet.merge_range(3, first + self.shift, 3, min(last, self.columns - 1) + self.shift, title)
            for column in (0, 1):
                self.sheet.merge_range(3, column + self.shift, 4, column + self.shift, HEADERS[column])
            self.row = 4
        for column, header in enumerate(HEADERS[: self.columns]):
            if not two_rows or column > 1:
                self.cell(column, header if two_rows else f"({column}) {header.upper()}")
        self.row += 1
        if two_rows:
            for column in range(self.columns):
                self.sheet.write(self.row, column + self.shift, f"({column})")
            self.row += 1

    def line(
        self, values: Mapping[str, object], name: str | None, serial: str | None, reason: str | None = None
    ) -> None:
        for header, value in values.items():
            self.cell(HEADERS.index(header), value)
        self.row += 1
        key = f"{self.place}!{self.row}"
        if self.hidden:
            self.expected.reasons["hidden-sheet"] += 1
        elif reason or name is None:
            self.expected.reasons[reason or "missing-name"] += 1
        else:
            self.expected.names[key], self.expected.serials[key] = name, serial

    def group(self, number: int) -> None:
        """A couple's certificate: STT, certificate and parcel on the first row only, or merged over both."""
        serial, first = f"BK {100000 + number}", self.row
        for person in range(2):
            name = f"{SURNAMES[(number + person) % 5]} {GIVEN[(number * 3 + person) % 7]}"
            values: dict[str, object] = {
                PERSON[2]: name,
                PERSON[3]: 1950 + number % 50,
                PERSON[4]: "Nữ" if person else "Nam",
                PERSON[5]: 45_050_000_000 + number * 2 + person,
                PERSON[6]: "Thôn 1, xã Hải Lăng",
                PERSON[8]: "Vợ" if person else "Chồng",
            }
            if person == 0:
                values |= {"STT": number, "Mã ĐVHC cấp xã": 19702, CERTIFICATE[0]: serial, CERTIFICATE[1]: "12/05/2009"}
                values |= {PERSON[7]: "Vợ chồng", PARCEL[3]: 12, PARCEL[4]: number, PARCEL[6]: 250.5, "Loại đất": "ONT"}
            self.line(values, name, serial)
        if self.merge_certificates:
            column = HEADERS.index(CERTIFICATE[0]) + self.shift
            self.sheet.merge_range(first, column, first + 1, column, serial)

    def odd(self, number: int) -> None:
        """One row of each kind that is no plain person."""
        kind = number % 6
        if kind == 0:
            self.line({"STT": "Tổng cộng", PARCEL[6]: 12_345.5}, None, None, "total-row")
        elif kind == 1:
            self.row += 1  # a blank row
            firm = {PERSON[0]: "Công ty TNHH Bình Minh", PERSON[1]: "3200123456", PERSON[2]: "Lê Tổng"}
            self.line(firm | {CERTIFICATE[0]: "CT 1"}, "Công ty TNHH Bình Minh; người đại diện: Lê Tổng", "CT 1")
        elif kind == 2:
            self.sheet.write_formula(self.row, NAME + self.shift, "=#REF!", None, "#REF!")
            self.line({"STT": number, PARCEL[4]: number}, None, None)
        elif kind == 3:
            self.line({header: header for header in HEADERS[2:16]}, None, None, "repeated-header")
        elif kind == 4:
            name = "Cộng đồng dân cư thôn Cộng Hòa"
            self.line({"STT": number, PERSON[2]: name, PERSON[7]: "Cộng đồng dân cư"}, name, None)
        else:
            self.line({PARCEL[4]: 7, PARCEL[3]: 3}, None, None)  # a second parcel, nobody named

    def fill(self, rows: int) -> None:
        start, number = self.expected.rows, 0
        while self.expected.rows - start < rows:
            number += 1
            if number % 9 == 0:
                self.odd(number // 9)
            else:
                self.group(number)


def build(path: Path, rows: int) -> Expected:
    """Writes a workbook of about `rows` rows: four layouts, one of them hidden, and a sheet of instructions."""
    expected = Expected()
    with xlsxwriter.Workbook(str(path)) as book:
        book.add_worksheet("Hướng dẫn").write(0, 0, "Cách điền: mỗi dòng là một người; không để trống Họ tên.")
        full = Writer(book, "Mẫu 49 cột", expected)
        full.header(two_rows=True)
        full.fill(rows * 4 // 10)
        shifted = Writer(book, "(Cap nhat)", expected, shift=1)
        shifted.merge_certificates = True
        shifted.header(two_rows=True)
        shifted.fill(rows * 3 // 10)
        short = Writer(book, "39 cột", expected, columns=39)
        short.header(two_rows=False)
        short.fill(rows * 2 // 10)
        hidden = Writer(book, "Bản cũ", expected, columns=38)
        hidden.sheet.hide()
        hidden.hidden = True
        hidden.header(two_rows=False)
        hidden.fill(rows // 10)
    return expected
