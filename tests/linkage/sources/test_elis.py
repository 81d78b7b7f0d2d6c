"""ELIS rows of two persons."""

from __future__ import annotations

from pathlib import Path

from linkage.sources import SourceMapping, read_owners

ELIS = (
    "MaDoiTuong;Ten1;SoDinhDanh1;loaiSDD1;GioiTinh1;DiaChi1;QuanHe;Ten2;SoDinhDanh2;SoPhatHanh\n"
    "16;Nguyễn Văn Tý;194012345;1;1;Thôn 1;Và Vợ;Trần Thị Sửu;45185012345;BK 1\n"
    "16;Lê Dần;;;1;;Hộ Ông;;;\n"
    "16;;;;;;;;;\n"
)


def test_both_persons_of_a_row_are_found_by_the_shipped_mapping(tmp_path: Path) -> None:
    path = tmp_path / "elis.csv"
    path.write_text(ELIS)
    source = read_owners(path)
    assert source.format == "elis"
    columns = (
        "owner_record_id",
        "owner_name",
        "owner_id_no",
        "co_owner_name",
        "co_owner_id_no",
        "owner_kind",
        "owner_id_kind",
    )
    assert source.lines.select(columns).rows() == [
        ("elis.csv!2", "Nguyễn Văn Tý", "194012345", "Trần Thị Sửu", "45185012345", "couple", "1"),
        ("elis.csv!3", "Lê Dần", None, None, None, "household", None),
    ]
    assert source.rejected.select("row", "column").rows() == [(4, "owner_name")]


def test_a_vbdlis_export_is_read_by_its_headers(tmp_path: Path) -> None:
    path = tmp_path / "vbdlis.csv"
    path.write_text("hoTen,namSinh,gioiTinh,soGiayTo,diaChi,soPhatHanh,maXa\nTý,1960,1,194012345,Thôn 1,BK 1,19702\n")
    lines = read_owners(path).lines
    assert lines.select("owner_name", "owner_birth", "certificate_serial", "commune_code").row(0) == (
        "Tý",
        "1960",
        "BK 1",
        "19702",
    )


def test_a_column_of_the_config_comes_before_the_shipped_mapping(tmp_path: Path) -> None:
    path = tmp_path / "elis.csv"
    path.write_text(ELIS)
    mapping = SourceMapping(columns={"owner_record_id": "Ten1"}, format="elis")
    assert read_owners(path, mapping).lines["owner_record_id"].to_list() == ["Nguyễn Văn Tý", "Lê Dần"]
