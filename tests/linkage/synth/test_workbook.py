from __future__ import annotations

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from linkage.synth.workbook import FILE, FIRST_ROW, HEADERS, SHEET, TRUTH


@pytest.fixture(scope="module")
def sheet(folder):
    book = CalamineWorkbook.from_path(str(folder.path / FILE))
    return book.get_sheet_by_name(SHEET).to_python(skip_empty_area=False)


@pytest.fixture(scope="module")
def truth(folder):
    return pl.read_parquet(folder.path / TRUTH)


def column(sheet, label):
    at = [text for _, text in HEADERS].index(label) + 1
    return [row[at] for row in sheet[FIRST_ROW - 1 : -1]]


def test_it_has_the_49_fields_from_b_to_ax(sheet):
    assert sheet[4][1:50] == [label for _, label in HEADERS]
    assert [n for n in sheet[5][1:50] if n] == [str(n) for n in range(1, 50) if n not in (21, 22)]


def test_every_data_row_has_its_truth(sheet, truth):
    assert len(column(sheet, "Diện tích")) == truth.height > 300
    assert truth["owner_record_id"][0] == f"{FILE}#{SHEET}!{FIRST_ROW}"


def test_the_certificate_stands_on_the_first_row_of_a_group_only(sheet):
    numbers = [row[0] for row in sheet[FIRST_ROW - 1 : -1]]
    assert numbers[0] == 1
    assert "" in numbers
    serials = column(sheet, "Số phát hành GCN")
    assert all(not serial for serial, number in zip(serials, numbers, strict=True) if number == "")


def test_ids_are_text_but_for_those_that_lost_their_zero(sheet):
    ids = [value for value in column(sheet, "Số định danh/CCCD") if value]
    assert all(isinstance(value, str) or len(str(int(value))) in (10, 11) for value in ids)


def test_kinds_and_roles_are_of_the_fixed_lists(sheet):
    kinds = {"Cá nhân", "Hộ gia đình", "Vợ chồng", "Đồng sử dụng", "Cộng đồng dân cư", "Tổ chức"}
    assert set(column(sheet, "Pháp nhân trên GCN")) <= kinds
    roles = {"Cá nhân", "Chủ hộ", "Chồng", "Vợ", "Người đại diện", "Thành viên"}
    assert set(column(sheet, "Vai trò")) <= roles


def test_changed_owners_name_the_user_of_today(sheet):
    reasons = [reason for reason in column(sheet, "Lý do thay đổi") if reason]
    assert 0 < len(reasons) < 0.2 * len(sheet)
    assert len(reasons) == sum(bool(name) for name in column(sheet, "Tên người sử dụng hiện tại"))


def test_it_ends_with_a_total(sheet):
    assert sheet[-1][1] == "Tổng cộng"
