r"""Where the columns of a PL3-01 sheet stand (guidance letter 2071/QLĐĐ-TKKKTTĐĐ), found by the text of their headers.

Rules
- The header is the block of one to three rows, among the first 40, in which most fields are recognised; merged header
  cells count for every column they cover.
- A field is recognised by the lowest header cell of a column. Where that cell alone says too little (`Tên`, `Số tờ`),
  the cells above it are read with it.
- The first column that fits a field has it; the field numbers (`(7)`) are ignored, for they differ between variants.
- A header of a husband, a wife or a second user is that of the co-owner, never of the owner. Where the sheet names no
  other owner, the husband's columns are the owner's.
- A bare `Ngày cấp` beside a person's number is the day of that paper, not of the certificate.
- A sheet is PL3-01 if the owner's name and at least four more fields are there, one of them of a certificate or parcel.

>>> field_of("(7) Họ tên chủ sử dụng/\nngười đại diện"), field_of("Số tờ", "Thông tin trên GCN")
('owner_name', 'paper_sheet_no')
>>> field_of("Họ tên vợ/chồng"), field_of("Số giấy tờ"), field_of("Loại giấy tờ")
('co_owner_name', 'owner_id_no', None)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from linkage.sources.mapping import plain_words, unique_headers
from linkage.sources.workbooks import Sheet

SEARCH_ROWS = 40
MAX_HEADER_ROWS = 3
_MIN_FIELDS = 5
_TELLING = frozenset(
    {"certificate_serial", "owner_kind", "owner_role", "parcel_code", "paper_parcel_no", "cadastral_parcel_no"}
)
_UNCLEAR = re.compile(
    r"ten|ho ten|ho va ten|(so|ma) dinh danh|ma so|cccd|so (cccd|cmnd|cmt|gttt|giay to)|dia chi|ngay cap|"
    r"(so (hieu )?)?to( ban do)?( so)?|(so (thu tu |hieu )?)?thua( dat)?( so)?"
)
_ID = r"dinh danh|cccd|cmnd|cmt|can cuoc|gttt|giay to(?! (ve|phap ly|quyen|dat|nha|khac))|tuy than|ho chieu"
_HOME = r"noi o|cho o|cu tru|thuong tru|tam tru|ho khau"
_SHEET = r"(?<!giay )\bto\b(?! (chuc|dan pho|truong|khai|thon))"
_HUSBAND, _WIFE = re.compile(r"\bchong\b"), re.compile(r"\bvo\b")
_SECOND = re.compile(
    r"\b(vo|chong)\b|thu (hai|2)\b|(nguoi|chu su dung|chu so huu)( so)? (2|hai)\b|dong (su dung|so huu|chu)"
)
_FIRST_TOO = re.compile(
    r"(?<!dong )(chu (su dung|so huu|ho\b|dat)|nguoi su dung|dai dien)(?! (dat )?(thu|so|2|hai)\b).*"
    r"(\b(vo|chong)\b|dong (su dung|so huu))|"
    r"vo va chong|hai vo chong|ca nhan|ho gia dinh|to chuc|cong dong|phap nhan|doi tuong|vai tro|hinh thuc"
)
"""Names the first owner along with the second (`chủ sử dụng và vợ`), or lists the kinds of owners."""
_NOTHING = ""

# Field, what its header says, what it must not say; the first that fits wins, so the special stand before the general.
_RULES: tuple[tuple[str, str, str], ...] = (
    ("owner_record_id", r"^owner record id$", ""),
    ("serial_number", r"^(stt|tt|so tt|so thu tu)$", ""),
    ("current_user_id_no", rf"({_ID}).*hien (tai|nay)|hien (tai|nay).*({_ID})", ""),
    ("current_user_name", r"hien (tai|nay)", rf"dia chi\b|thua|sinh|gioi|loai|hien trang|nghe|ngay|{_HOME}"),
    ("permanent_address_2tier", r"dia chi\b.*(2|hai) cap|(2|hai) cap.*dia chi\b", r"thua"),
    ("change_reason", r"ly do", ""),
    (_NOTHING, rf"^loai.*({_ID})|^noi cap|noi cap.*({_ID})|({_ID}).*noi cap|co quan cap", ""),
    ("parcel_code", r"dinh danh.*thua|^ma (so )?thua", ""),
    ("organisation_id_no", rf"({_ID}|ma so|mst|quyet dinh).*to chuc|to chuc.*({_ID}|ma so|mst)", r"ca nhan|dai dien"),
    ("organisation_name", r"ten.*to chuc|to chuc.*\bten\b", r"ho (va )?ten|ca nhan"),
    ("owner_kind", r"phap nhan|(loai )?doi tuong", ""),
    ("owner_role", r"vai tro", ""),
    ("owner_id_date", rf"ngay.*({_ID})|({_ID}).*ngay", ""),
    ("owner_birth", r"\bsinh\b", r"noi sinh"),
    ("owner_sex", r"gioi tinh|nam nu", ""),
    ("owner_id_no", _ID, r"thua|noi cap|\bloai\b|kem theo|quet|file"),
    ("parcel_address", r"dia chi\b.*thua|thua.*dia chi\b|vi tri thua", ""),
    ("owner_address", rf"{_HOME}|dia chi\b", r"thua|can ho|tai san|\bnha\b|^so (so )?ho khau"),
    ("owner_name", r"ho (va )?ten|ten (chu|nguoi)|chu su dung|nguoi su dung", r"dia chi\b|gioi|nguon goc|hinh thuc"),
    ("commune_code", r"(ma|don vi).*(dvhc|hanh chinh|\bxa\b)", ""),
    ("certificate_serial", r"so phat hanh|\bse ?ri\b|so phoi", r"file|quet"),
    ("certificate_no", r"vao so", r"ngay"),
    ("certificate_date", r"ngay.*(cap|ky)", _ID),
    ("paper_sheet_no", rf"{_SHEET}.*(gcn|giay chung nhan)|(gcn|giay chung nhan).*{_SHEET}", ""),
    ("paper_parcel_no", r"thua.*(gcn|giay chung nhan)|(gcn|giay chung nhan).*thua", r"ma|dinh danh|dien tich"),
    ("cadastral_sheet_no", _SHEET, r"thua|thoi han|dan pho"),
    ("cadastral_parcel_no", r"so.*thua|thua.*so|^thua( dat)?$", _SHEET),
    ("map_scale", r"\bty le\b", ""),
    ("land_use_code", r"loai dat|muc dich", ""),
    ("area_m2", r"dien tich", r"xay dung|\bsan\b|rieng|chung|can ho"),
)
_SECOND_RULES: tuple[tuple[str, str, str], ...] = (
    ("co_owner_birth", r"\bsinh\b", r"noi sinh"),
    ("co_owner_sex", r"gioi tinh|nam nu", ""),
    ("co_owner_id_no", _ID, r"\bngay\b|noi cap|\bloai\b|thua|kem theo|quet|file"),
    (
        "co_owner_name",
        rf"\bten\b|^(nguoi |chu )?({_SECOND.pattern})",
        rf"dia chi|ngay|quan he|dan toc|quoc tich|nghe|ghi chu|dien thoai|dien tich|thua|\bty le\b|{_HOME}|noi cap",
    ),
    (_NOTHING, "", ""),
)
Patterns = tuple[tuple[str, re.Pattern[str], re.Pattern[str] | None], ...]


def _compiled(rules: tuple[tuple[str, str, str], ...]) -> Patterns:
    return tuple((field, re.compile(must), re.compile(no) if no else None) for field, must, no in rules)


_PATTERNS, _SECOND_PATTERNS = _compiled(_RULES), _compiled(_SECOND_RULES)


@dataclass(frozen=True)
class Layout:
    """`columns` gives the position of each recognised field; the data begin at row `first` (from 0)."""

    first: int
    columns: dict[str, int]
    headers: tuple[str, ...]


def field_of(header: str, above: str = "") -> str | None:
    """The field that a header names; `above` is the text of the cells over it."""
    leaf, over = plain_words(header), plain_words(above)
    second = _is_second(leaf) or _is_second(over)
    path = f"{over} {leaf}".strip()
    texts = [path] if second or _UNCLEAR.fullmatch(leaf) else [leaf, path]
    patterns = _SECOND_PATTERNS if second else _PATTERNS
    return next((field for text in texts for field in _fields(text, patterns)), None) or None


def _is_second(words: str) -> bool:
    """Whether a header speaks of the second person of a line alone."""
    return bool(_SECOND.search(words)) and not _FIRST_TOO.search(words)


def _fields(text: str, patterns: Patterns) -> Iterator[str]:
    for field, must, no in patterns:
        if must.search(text) and not (no and no.search(text)):
            yield field
            return


def find_layout(sheet: Sheet) -> Layout | None:
    """The layout of a PL3-01 sheet, or None where the sheet is something else."""
    rows = _filled_head(sheet)
    best, score = None, _MIN_FIELDS - 1
    for depth, top in product(range(1, MAX_HEADER_ROWS + 1), range(min(len(rows), SEARCH_ROWS))):
        columns = _columns(rows[top : top + depth]) if top + depth <= len(rows) else {}
        if len(columns) > score and "owner_name" in columns and _TELLING & columns.keys():
            best, score = (top, depth, columns), len(columns)
    if best is None:
        return None
    top, depth, columns = best
    headers = unique_headers([leaf for leaf, _ in _paths(rows[top : top + depth])])
    return Layout(_after_numbers(rows, top + depth), columns, tuple(headers))


def _filled_head(sheet: Sheet) -> list[list[str | None]]:
    rows = sheet.head(SEARCH_ROWS + MAX_HEADER_ROWS)
    for (top, left), (bottom, right) in sheet.merged:
        if top < len(rows) and left < len(rows[top]):
            for row, column in product(
                range(top, min(bottom + 1, len(rows))), range(left, min(right + 1, len(rows[top])))
            ):
                rows[row][column] = rows[top][left]
    return rows


def _paths(block: Sequence[Sequence[str | None]]) -> list[tuple[str, str]]:
    """Lowest text and the different texts above it, of each column."""
    paths = []
    for cells in zip(*block, strict=True):
        texts = list(dict.fromkeys(cell.strip() for cell in cells if cell))
        paths.append((texts[-1], " ".join(texts[:-1])) if texts else ("", ""))
    return paths


def _columns(block: Sequence[Sequence[str | None]]) -> dict[str, int]:
    """Field → position; the husband's columns are the owner's where no other owner is named."""
    paths = _paths(block)
    columns = _recognised(paths)
    if "owner_name" in columns:
        return columns
    return _recognised([(_husband_as_owner(leaf), _husband_as_owner(above)) for leaf, above in paths])


def _husband_as_owner(header: str) -> str:
    words = plain_words(header)
    return header if _WIFE.search(words) else _HUSBAND.sub("chu su dung", words)


def _recognised(paths: Sequence[tuple[str, str]]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for position, (leaf, above) in enumerate(paths):
        field = field_of(leaf, above) if leaf and len(leaf) < 200 else None
        if field == "area_m2" and "land_use_code" in columns:
            continue  # the area of one use, not of the parcel
        if field == "certificate_date" and plain_words(leaf) == "ngay cap":
            field = _dated_by(paths, position)
        if field:
            columns.setdefault(field, position)
    return columns


def _dated_by(paths: Sequence[tuple[str, str]], position: int) -> str | None:
    """What a bare `Ngày cấp` dates: the paper of a person where one of the two columns before it is its number."""
    for leaf, above in reversed(paths[max(position - 2, 0) : position]):
        before = field_of(leaf, above) if leaf else None
        if before in {"owner_id_no", "co_owner_id_no"}:
            return "owner_id_date" if before == "owner_id_no" else None
        if before is not None:
            break
    return "certificate_date"


def _after_numbers(rows: Sequence[Sequence[str | None]], first: int) -> int:
    """The row after the one that only numbers the columns: `A, (1), (2), …`."""
    while first < len(rows) and _is_numbering([cell.strip() for cell in rows[first] if cell]):
        first += 1
    return first


def _is_numbering(cells: Sequence[str]) -> bool:
    numbers = [int(re.sub(r"\D", "", cell)) for cell in cells if re.fullmatch(r"[(\[]?\s*\d{1,2}[a-z]?\s*[)\]]?", cell)]
    labels = sum(bool(re.fullmatch(r"[(\[]?[A-Za-z]{1,2}[)\]]?", cell)) for cell in cells)
    rising = all(a <= b for a, b in pairwise(numbers))
    return len(numbers) >= _MIN_FIELDS and rising and len(numbers) + labels == len(cells)
