"""ELIS-style rows: two persons in one row (`Ten1 … QuanHe, Ten2 …`), and VBDLIS exports with like headers.

Rules
- Recognised by `Ten1`, or by `hoTen` beside a column of a parcel or certificate; case and accents do not matter.
- Such exports have no id of the line: `owner_record_id` is `<file>!<row>` unless the file has that very column.
- `QuanHe` says how the second person stands to the first: husband or wife makes the line a couple's, `Hộ …` a
  household's. The relation and the kinds of paper stay in the extra columns `relation`, `owner_id_kind` and
  `co_owner_id_kind`.

>>> recognises(["Ten1", "SoDinhDanh1", "QuanHe", "Ten2"])
True
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from linkage.sources.mapping import PART, ROW, fold_header

ALIASES: Mapping[str, Sequence[str]] = {
    "owner_name": ("ten1", "hoten1", "hoten", "hovaten"),
    "owner_id_no": ("sodinhdanh1", "sogiayto1", "cmnd1", "madinhdanhcanhan", "masodinhdanh", "sodinhdanh", "sogiayto"),
    "owner_id_date": ("ngaycapsdd1", "ngaycapgiayto1", "ngaycapgiayto"),
    "owner_sex": ("gioitinh1", "gioitinh"),
    "owner_birth": ("ngaysinh1", "namsinh1", "ngaysinh", "namsinh"),
    "owner_address": ("diachi1", "diachithuongtru", "diachi"),
    "co_owner_name": ("ten2", "hoten2"),
    "co_owner_id_no": ("sodinhdanh2", "sogiayto2", "cmnd2"),
    "co_owner_sex": ("gioitinh2",),
    "co_owner_birth": ("ngaysinh2", "namsinh2"),
    "parcel_code": ("madinhdanhthua", "mathuadat", "mathua"),
    "commune_code": ("maxa", "madvhc", "madvhcxa", "xaid"),
    "map_sheet_no": ("sohieutobando", "soto", "sotobando"),
    "parcel_no": ("sothututhua", "sothua", "sothuadat"),
    "map_scale": ("tyle", "tylebando"),
    "area_m2": ("dientich", "dientichphaply"),
    "land_use_code": ("mamucdich", "mucdichsudung", "loaidat"),
    "parcel_address": ("diachithua", "diachithuadat"),
    "certificate_serial": ("sophathanh", "soseri", "seri"),
    "certificate_no": ("sovaoso", "sovaosogcn"),
    "certificate_date": ("ngaycapgcn", "ngayvaoso", "ngaycap"),
    "relation": ("quanhe",),
    "owner_id_kind": ("loaisdd1", "loaigiayto1", "loaigiayto"),
    "co_owner_id_kind": ("loaisdd2", "loaigiayto2"),
}
EXTRA = ("relation", "owner_id_kind", "co_owner_id_kind")
KNOWN = tuple(alias for aliases in ALIASES.values() for alias in aliases)
_LAND = {"mathuadat", "mathua", "sophathanh", "sovaoso", "sothututhua", "sohieutobando"}


def recognises(headers: Sequence[str]) -> bool:
    """Whether these are the headers of such an export."""
    folded = {fold_header(header) for header in headers}
    return "owner_name" not in headers and ("ten1" in folded or ("hoten" in folded and bool(folded & _LAND)))


def finish(frame: pl.DataFrame, part: str) -> pl.DataFrame:
    """Gives each line its id where it has none, and the owner's kind where the relation says it."""
    for column in EXTRA:
        if column not in frame.columns:
            frame = frame.with_columns(pl.lit(None, pl.String).alias(column))
    place = pl.concat_str(pl.lit(f"{part}!"), pl.col(ROW).cast(pl.String))
    has_ids = frame["owner_record_id"].null_count() < frame.height
    identifier = pl.col("owner_record_id") if has_ids else place
    return frame.with_columns(
        identifier.alias("owner_record_id"),
        pl.coalesce("owner_kind", _kind_of_relation()).alias("owner_kind"),
        pl.col(PART),
    )


def _kind_of_relation() -> pl.Expr:
    words = pl.col("relation").str.normalize("NFC").str.to_lowercase()
    spouse = words.str.contains(r"\b(vợ|chồng|vo|chong)\b") & pl.col("co_owner_name").is_not_null()
    return pl.when(words.str.contains(r"^(hộ|ho)\b")).then(pl.lit("household")).when(spouse).then(pl.lit("couple"))
