"""Addresses: forms beside their near-misses, and every commune of the country."""

from __future__ import annotations

import unicodedata

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage.normalise.addresses import SCHEMA, address_columns
from linkage.normalise.communes import new_communes, old_communes

HOME = ["44"]

SAME = [
    "Thôn 3, xã Vĩnh Thủy, huyện Vĩnh Linh, tỉnh Quảng Trị",
    "thôn 03, Xã Vĩnh Thuỷ, H. Vĩnh Linh, QT",
    "thôn số 3 xã Vĩnh Thủy huyện Vĩnh Linh",
    "THON 3 XA VINH THUY HUYEN VINH LINH TINH QUANG TRI",
    "Thôn III - X.Vĩnh Thủy - H.Vĩnh Linh - T.Quảng Trị",
    "thôn 3, Vĩnh Thủy, Vĩnh Linh, Quảng Trị, Việt Nam",
    "Thôn 3, xã Vỉnh Thủy, huyện Vĩnh Linh",
    "Thôn 3, xã Vĩnh Thủyy, huyện Vĩnh Linh, tỉnh Quảng Trị",
    "Thôn 3, xã Vĩnh Thủy, huyện Vĩnh Lnh, tỉnh Quảng Trị",
    "Thôn 3, xã Vĩnh Thủy, huyện Vĩnh Linh, tỉnh Quảng Trị (nay là xã Vĩnh Thủy, tỉnh Quảng Trị)",
    "Thôn 3, xã Vĩnh Thủy, huyện Bến Hải, tỉnh Bình Trị Thiên",
]

PLACES = {
    "the form since July 2025": ("xã Vĩnh Thủy, tỉnh Quảng Trị", "19405", "two-tier"),
    "a commune with a province's name": ("xã Quảng Ninh, tỉnh Quảng Trị", "19207", "two-tier"),
    "a district with a province's name": ("xã Võ Ninh, huyện Quảng Ninh, tỉnh Quảng Bình", "19207", "ok"),
    "the same without kinds": ("Võ Ninh, Quảng Ninh, Quảng Bình", "19207", "ok"),
    "a numbered ward": ("P.5, TP. Đông Hà, Quảng Trị", "19351", "ok"),
    "a numbered ward without a blank": ("P5, TP Đông Hà, QT", "19351", "ok"),
    "a numbered ward of the other town": ("Phường 1, TX Quảng Trị", "19360", "ok"),
    "a numbered ward of either town": ("Phường 1, Quảng Trị", None, "ambiguous"),
    "a repeated name with its district": ("xã Tân Thành, huyện Hướng Hóa, Quảng Trị", "19432", "ok"),
    "a repeated name in the new form": ("xã Tân Thành, tỉnh Quảng Trị", "18919", "two-tier"),
    "a repeated name with the former province": ("xã Cam Thủy, tỉnh Quảng Bình", "19255", "ok"),
    "the same with the other former province": ("xã Cam Thủy, tỉnh Quảng Trị", "19603", "ok"),
    "an unknown commune": ("xã Không Đâu, huyện Vĩnh Linh", None, "district-only"),
    "a commune at home": ("xã Vĩnh Thủy", "19405", "ok"),
    "a town": ("TT. Hồ Xá H. Vĩnh Linh", "19363", "ok"),
    "a state farm": ("TT NT Lệ Ninh, huyện Lệ Thủy, Quảng Bình", "19246", "ok"),
    "words of a minority language": ("xã Đa Krông, huyện Đakrông, Quảng Trị", "19564", "ok"),
    "an island district": ("huyện Cồn Cỏ, tỉnh Quảng Trị", "19742", "district-only"),
    "a special zone": ("đặc khu Cồn Cỏ, Quảng Trị", "19742", "two-tier"),
    "a split commune": ("phường Cống Vị, quận Ba Đình, Hà Nội", None, "split"),
    "a district alone": ("huyện Vĩnh Linh", None, "district-only"),
    "a province alone": ("tỉnh Quảng Trị", None, "province-only"),
    "no place": ("12 đường lớn", None, "no-place"),
    "nothing": ("...", None, "empty"),
}

HAMLETS = {
    "a hamlet with a number": ("Thôn 03, xã Vĩnh Thủy, huyện Vĩnh Linh", "thon 3", "3", None),
    "a hamlet with a name": ("thôn Thủy Ba Tây xã Vĩnh Thủy huyện Vĩnh Linh", "thon thuy ba tay", "thuy ba tay", None),
    "a hamlet without its word": ("Thủy Ba Tây, Vĩnh Thủy, Vĩnh Linh", "thuy ba tay", "thuy ba tay", None),
    "the larger of two": ("xóm 3, thôn Lâm Cao, xã Vĩnh Lâm, huyện Vĩnh Linh", "thon lam cao", "lam cao", None),
    "two without a comma": ("tổ 5 khu phố 2 phường Đông Lễ TP Đông Hà", "khu pho 2", "2", None),
    "an abbreviation": ("KP2, P1, TP Đông Hà", "khu pho 2", "2", None),
    "a group of dwellings": ("TDP 5, phường Đông Lễ, TP Đông Hà", "to dan pho 5", "5", None),
    "a letter": ("thôn A, xã Vĩnh Thủy, huyện Vĩnh Linh", "thon a", "a", None),
    "a street": ("Số nhà 12 đường Hùng Vương, P1, Đông Hà", None, None, "12 duong hung vuong"),
    "a parcel before the hamlet": ("Thửa đất số 12, tờ bản đồ 5, thôn 3, xã Vĩnh Thủy", "thon 3", "3", None),
    "house and quarter": ("12 Hùng Vương, KP 2, phường 1, TP Đông Hà", "khu pho 2", "2", "12 hung vuong"),
}


def _read(text: str, home: list[str] | None = None) -> dict[str, object]:
    return address_columns(pl.Series([text]), home_provinces=home).row(0, named=True)


def _unaccented(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().replace("đ", "d"))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))


@pytest.mark.parametrize("text", SAME)
def test_one_address_is_read_from_all_its_forms(text: str) -> None:
    row = _read(text, HOME)
    assert [row[name] for name in ("hamlet", "commune_code", "province_code")] == ["thon 3", "19405", "44"]


@pytest.mark.parametrize("case", PLACES)
def test_finds(case: str) -> None:
    text, code, flag = PLACES[case]
    row = _read(text, HOME)
    assert (row["commune_code"], row["address_flag"]) == (code, flag)


@pytest.mark.parametrize("case", HAMLETS)
def test_reads(case: str) -> None:
    text, *expected = HAMLETS[case]
    row = _read(text, HOME)
    assert [row[name] for name in ("hamlet", "hamlet_name", "house")] == expected


def test_a_repeated_name_in_the_new_form_keeps_its_old_readings_as_candidates() -> None:
    assert _read("xã Tân Thành, tỉnh Quảng Trị")["commune_candidates"] == ["18919", "19432"]


def test_a_name_without_anything_above_it_is_no_place_away_from_home() -> None:
    assert _read("Vĩnh Thủy")["address_flag"] == "no-place"
    assert _read("Vĩnh Thủy", HOME)["commune_code"] == "19405"


@pytest.mark.parametrize("form", ["accents", "no accents", "no accents, no commas"])
def test_every_old_commune_is_found(form: str) -> None:
    olds = list(old_communes().values())
    texts = [f"{o.kind} {o.name}, {o.district_kind} {o.district}, {o.province}" for o in olds]
    texts = texts if form == "accents" else [_unaccented(text) for text in texts]
    texts = [text.replace(",", "") for text in texts] if "no commas" in form else texts
    rows = {row["raw"]: row for row in address_columns(pl.Series(texts)).iter_rows(named=True)}
    found = [(old, rows[text]) for old, text in zip(olds, texts, strict=True)]
    assert all(set(old.successors) <= set(row["commune_candidates"] or ()) for old, row in found)
    exact = sum(row["commune_old"] == old.code for old, row in found)
    assert exact >= len(olds) - (2 if form == "accents" else 45)  # names alike once folded stay candidates


@pytest.mark.parametrize("form", ["accents", "no accents"])
def test_every_new_commune_is_found(form: str) -> None:
    news = list(new_communes().values())
    texts = [f"Thôn 3, {n.kind} {n.name}, {n.province}" for n in news]
    texts = texts if form == "accents" else [_unaccented(text) for text in texts]
    rows = {row["raw"]: row for row in address_columns(pl.Series(texts)).iter_rows(named=True)}
    found = [(new.code, rows[text]) for new, text in zip(news, texts, strict=True)]
    assert all(code in (row["commune_candidates"] or ()) for code, row in found)
    assert sum(row["commune_code"] != code for code, row in found) <= (0 if form == "accents" else 20)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text() | st.text(alphabet="xaãthôn phường,.12-QTPH() "), max_size=10))
def test_no_text_raises(texts: list[str]) -> None:
    found = address_columns(pl.Series(texts, dtype=pl.String), home_provinces=HOME)
    assert found.columns == ["raw", *SCHEMA]
    assert found["address_flag"].null_count() == 0
