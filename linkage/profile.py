"""What an input is like before anything runs: rows, fill rates, refusals, and the classes of error found.

Rules
- Only counts leave this module: no value of a record, not even as an example.
- A count is of cells or of lines that show the error; one cell may count in several classes.
- Each distinct value is read once, by the same functions that normalise it, so the profile and the run agree.
- A large table may be sampled (every n-th line); its counts are then scaled to the whole table and `examined` says how
  many lines were read. Fill rates and repeated lines are always counted over all lines.
- Officers read Vietnamese, developers English: `WORDS` holds both for each class.

>>> lines = pl.DataFrame({"owner_name": ["Hộ ông NGUYEN VAN AN"], "owner_birth": ["01/01/1960"]})
>>> found = profile(lines).owners.error_classes
>>> found["name-without-accents"], found["honorific-in-name"], found["birth-first-of-january"]
(1, 1, 1)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from linkage.config import Config
from linkage.errors import InputError
from linkage.normalise.addresses import address_columns
from linkage.normalise.certificates import serial_columns
from linkage.normalise.communes import BEFORE, FROM, resolve_commune
from linkage.normalise.dates import birth_columns
from linkage.normalise.encodings import repair
from linkage.normalise.identifiers import id12_structure_agrees, id_columns
from linkage.normalise.names import name_columns
from linkage.normalise.owner_text import parse_owner_column
from linkage.normalise.sexes import sex_columns
from linkage.outputs.progress import Display, Progress, SilentDisplay
from linkage.schemas import CITIZEN_LINES, OWNER_LINES, Table
from linkage.sources.mapping import mapping_of
from linkage.sources.reading import Source, read_citizens, read_owners
from linkage.sources.tables import Matched

SAMPLE_LINES = 20_000
"""Lines examined within a run: about a second, whatever the size of the register."""

STEPS: Mapping[str, float] = {"read": 1, "profile": 3}
"""The steps of a check and their usual shares of its time."""

_NOT_CONTENT = ("owner_record_id", "citizen_id", "row_number", "source_part")


class Words(NamedTuple):
    """What a class of error is called."""

    english: str
    vietnamese: str


WORDS: Mapping[str, Words] = {
    "name-tcvn3": Words("name in TCVN3 letters", "Họ tên theo mã TCVN3 (phông .VnTime)"),
    "name-vni": Words("name in VNI letters", "Họ tên theo mã VNI"),
    "name-utf8-as-cp1252": Words("name garbled by a wrong encoding", "Họ tên bị vỡ phông do mở sai bảng mã"),
    "name-telex": Words("Telex typing left in the name", "Họ tên còn ký tự gõ Telex"),
    "name-vni-typing": Words("VNI typing left in the name", "Họ tên còn chữ số gõ kiểu VNI"),
    "name-unicode-form": Words("name in another Unicode form", "Họ tên dùng dạng Unicode khác (tổ hợp, chữ Ð)"),
    "name-without-accents": Words("name without accents", "Họ tên không dấu"),
    "honorific-in-name": Words("honorific or household word in the name", "Họ tên lẫn từ xưng hô (ông, bà, hộ)"),
    "several-persons": Words("several persons in one cell", "Nhiều người trong một ô"),
    "birth-in-name": Words("birth written inside the name", "Năm sinh ghi trong ô họ tên"),
    "number-in-name": Words("identity number inside the name", "Số giấy tờ ghi trong ô họ tên"),
    "deceased-in-name": Words("death mark beside the name", "Ghi chú đã chết trong ô họ tên"),
    "heirs": Words("heirs instead of an owner", "Ghi người thừa kế thay cho chủ sử dụng"),
    "organisation": Words("organisation", "Tổ chức"),
    "community": Words("community", "Cộng đồng dân cư"),
    "religious": Words("religious body", "Cơ sở tôn giáo, tín ngưỡng"),
    "unreadable-name": Words("no name can be read", "Không đọc được họ tên"),
    "left-over-text": Words("text beside the name that is not understood", "Còn phần chữ chưa hiểu trong ô họ tên"),
    "id-nine-digits": Words("9-digit number (CMND)", "Chỉ có số CMND 9 số"),
    "id-padded": Words("leading zeros lost", "Số giấy tờ mất số 0 ở đầu"),
    "id-float": Words("number in float notation", "Số giấy tờ dạng 4,5E+10"),
    "id-separators": Words("blanks, dots or words in the number", "Số giấy tờ lẫn dấu cách, dấu chấm hoặc chữ"),
    "id-letters-for-digits": Words("letters for digits in the number", "Số giấy tờ có chữ cái thay chữ số"),
    "id-two-numbers": Words("two numbers in one cell", "Hai số giấy tờ trong một ô"),
    "id-other-paper": Words("number of another paper", "Số của loại giấy tờ khác"),
    "id-placeholder": Words("placeholder instead of a number", "Số giấy tờ điền cho có"),
    "id-implausible": Words("number without a possible structure", "Số giấy tờ sai cấu trúc"),
    "id-contradicts": Words("number contradicts birth or sex", "Số định danh mâu thuẫn năm sinh hoặc giới tính"),
    "birth-year-only": Words("year of birth only (normal)", "Chỉ có năm sinh (bình thường)"),
    "birth-first-of-january": Words("01/01 typed for an unknown day", "Ngày sinh 01/01 điền thay ngày chưa rõ"),
    "birth-placeholder": Words("placeholder instead of a birth", "Năm sinh điền cho có (1900)"),
    "birth-impossible": Words("impossible birth", "Ngày, năm sinh không thể có"),
    "birth-excel-serial": Words("birth as a spreadsheet's day number", "Ngày sinh thành số thứ tự của bảng tính"),
    "birth-two-digit-year": Words("birth year of two digits", "Năm sinh ghi hai chữ số"),
    "birth-month-first": Words("month before day", "Ngày sinh ghi tháng trước ngày"),
    "birth-unreadable": Words("unreadable birth", "Không đọc được ngày, năm sinh"),
    "sex-typo": Words("slip in the sex", "Giới tính gõ nhầm"),
    "sex-unknown-code": Words("sex as a code without a key", "Giới tính ghi bằng mã chưa khai báo"),
    "sex-unreadable": Words("unreadable sex", "Không đọc được giới tính"),
    "commune-split": Words("commune that was split", "Xã cũ đã chia cho nhiều xã mới"),
    "commune-lost-zero": Words("commune code lost a zero", "Mã xã mất số 0 ở đầu"),
    "commune-wrong-vintage": Words("commune code of the wrong list", "Mã xã thuộc danh mục khác thời điểm"),
    "commune-unknown-code": Words("unknown commune code", "Mã xã không có trong danh mục"),
    "address-without-commune": Words("address without a commune", "Địa chỉ không xác định được xã"),
    "address-ambiguous": Words("address fits several communes", "Địa chỉ ứng với nhiều xã"),
    "address-encoding": Words("address in legacy or garbled letters", "Địa chỉ sai bảng mã"),
    "serial-repaired": Words("zeros or digits of the serial put right", "Số phát hành thiếu số 0 hoặc gõ nhầm chữ"),
    "serial-several": Words("several certificate serials in one cell", "Nhiều số phát hành trong một ô"),
    "serial-register-number": Words("register number in place of the serial", "Số vào sổ ghi ở cột số phát hành"),
    "serial-other-form": Words("certificate serial of no known form", "Số phát hành không đúng mẫu nào"),
    "serial-placeholder": Words("placeholder instead of a serial", "Số phát hành điền cho có"),
    "kind-unknown": Words("owner kind not on the list", "Loại chủ sử dụng ngoài danh mục"),
    "role-unknown": Words("owner role not on the list", "Vai trò ngoài danh mục"),
    "status-unknown": Words("citizen status not on the list", "Tình trạng công dân ngoài danh mục"),
    "repeated-line": Words("line that repeats another in full", "Dòng trùng hoàn toàn dòng khác"),
    "spouse-not-in-extract": Words("spouse whose number is not in the extract", "Vợ/chồng không có trong tệp dân cư"),
}  # fmt: skip
"""Code of a class of error → its words."""

REFUSALS: Mapping[str, Words] = {
    "missing-id": Words("no id", "Thiếu mã dòng hoặc số định danh"),
    "missing-name": Words("no name", "Thiếu họ tên"),
    "missing-value": Words("a required value is missing", "Thiếu giá trị bắt buộc"),
    "bad-citizen-id": Words("citizen's number is not 12 digits", "Số định danh không đủ 12 chữ số"),
    "duplicate-id": Words("id stands in an earlier row", "Mã đã có ở dòng trước"),
    "cell-too-long": Words("a cell is too long", "Có ô quá dài"),
    "ragged-row": Words("another number of fields than the header", "Số ô không khớp với dòng tiêu đề"),
    "unclosed-quote": Words("a quotation mark is not closed", "Dấu ngoặc kép không đóng"),
    "nul-byte": Words("a zero byte", "Có ký tự rỗng (byte 0)"),
    "hidden-sheet": Words("hidden sheet", "Trang tính bị ẩn"),
    "total-row": Words("total row", "Dòng cộng tổng"),
    "footer": Words("note or signature", "Dòng ghi chú hoặc chữ ký"),
    "repeated-header": Words("header repeated", "Dòng lặp lại tiêu đề"),
}  # fmt: skip
"""Code of a refusal (`rejected.parquet`: the word before the colon) → its words."""


def _named(field: str, flags: str) -> dict[str, str]:
    """Flag → class of error, where the class is the field and the flag."""
    return {flag: f"{field}-{flag}" for flag in flags.split()}


_IDS = _named("id", "padded float separators letters-for-digits two-numbers other-paper placeholder implausible")
_BIRTHS = _named(
    "birth",
    "year-only first-of-january placeholder impossible excel-serial two-digit-year month-first unreadable",
)
_SEXES = _named("sex", "typo unknown-code unreadable")
_COMMUNES = _named("commune", "split lost-zero wrong-vintage unknown-code")
_COMMUNES["wrong-vintage?"] = "commune-wrong-vintage"
_ADDRESSES = dict.fromkeys(("district-only", "province-only", "no-place"), "address-without-commune")
_ADDRESSES["ambiguous"] = "address-ambiguous"
_SERIALS = dict.fromkeys(("padded", "letters-for-digits"), "serial-repaired")  # a blank after the letters is printed
_SERIALS |= _named("serial", "several register-number other-form placeholder")
_ENCODINGS = ("tcvn3", "vni", "utf8-as-cp1252", "telex", "vni-typing")
_KINDS = ("individual", "couple", "household", "co_ownership", "community", "organisation")
_ROLES = ("individual", "head", "husband", "wife", "representative", "member")
_STATUSES = ("alive", "deceased", "emigrated")
_OTHER_FORM = r"[ÐðƉ\u00A0\u00AD\u200B-\u200F\u2060\uFEFF\u0300-\u036F]"


@dataclass(frozen=True)
class TableProfile:
    """One table: its rows, those examined, the share of filled cells by column, cells by class of error."""

    rows: int
    examined: int
    fill_rates: Mapping[str, float]
    error_classes: Mapping[str, int]

    @property
    def without_value(self) -> tuple[str, ...]:
        """Columns that the file lacks or has without any value."""
        return tuple(name for name, share in self.fill_rates.items() if share == 0)


@dataclass(frozen=True)
class Profile:
    """The land register's table, and the population register's where it was given."""

    owners: TableProfile
    citizens: TableProfile | None = None

    def sections(self) -> dict[str, Any]:
        """For `run.json`: `error_classes` (those of citizens as `citizens:…`) and the words of those found."""
        found = dict(self.owners.error_classes)
        if self.citizens is not None:
            found |= {f"citizens:{code}": cells for code, cells in self.citizens.error_classes.items()}
        words = {code: list(_words(code)) for code in found}
        examined = {"land_owners": self.owners.examined, "citizens": self.citizens.examined if self.citizens else 0}
        return {"error_classes": found, "error_class_words": words, "error_classes_examined": examined}


def profile(
    lines: pl.DataFrame,
    citizens: pl.DataFrame | None = None,
    *,
    sample: int | None = None,
    sex_coding: Mapping[str, str] | None = None,
    home_provinces: Sequence[str] = (),
) -> Profile:
    """The profile of raw `OWNER_LINES` and `CITIZEN_LINES`; `sample` is the most lines examined of each."""
    home = list(home_provinces)
    owners = _table(lines, OWNER_LINES, sample, lambda some: _owner_classes(some, sex_coding, home))
    if citizens is None:
        return Profile(owners)
    return Profile(owners, _table(citizens, CITIZEN_LINES, sample, lambda some: _citizen_classes(some, home)))


_Classes = Callable[[pl.DataFrame], Iterator[Mapping[str, int]]]


def _table(frame: pl.DataFrame, contract: Table, sample: int | None, classes: _Classes) -> TableProfile:
    absent = [pl.lit(None, pl.String).alias(name) for name in contract.columns if name not in frame.columns]
    whole = frame.with_columns(absent)
    step = ceil(whole.height / sample) if sample and whole.height > sample else 1
    examined = whole.gather_every(step) if step > 1 else whole
    scale = whole.height / max(examined.height, 1)
    found = {code: round(cells * scale) for code, cells in _total(classes(examined)).items()}
    found |= _of_whole(whole, frame.columns)
    listed = [name for name in contract.columns if name != "row_number"]
    filled = {name: whole[name].count() / max(whole.height, 1) for name in listed}
    ordered = {code: found[code] for code in WORDS if found.get(code)}
    return TableProfile(whole.height, examined.height, filled, ordered)


def _total(found: Iterator[Mapping[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for part in found:
        total.update(part)
    return total


def _of_whole(whole: pl.DataFrame, own: Sequence[str]) -> dict[str, int]:
    """What only all lines together can tell."""
    content = [name for name in own if name not in _NOT_CONTENT]
    found = {"repeated-line": whole.height - whole.select(content).hash_rows().n_unique()} if content else {}
    if "spouse_citizen_id" in own:
        spouses = whole["spouse_citizen_id"].drop_nulls()
        found["spouse-not-in-extract"] = int((~spouses.is_in(whole["citizen_id"].implode())).sum())
    return found


# --- classes of error ---------------------------------------------------------------------------------------------


def _owner_classes(
    lines: pl.DataFrame, sex_coding: Mapping[str, str] | None, home: list[str]
) -> Iterator[Mapping[str, int]]:
    yield _texts(_cells(lines, "owner_name", "co_owner_name"))
    yield from _fields(lines, "owner_birth", "owner_sex", "owner_id_no", sex_coding)
    yield from _fields(lines, "co_owner_birth", "co_owner_sex", "co_owner_id_no", sex_coding)
    yield from _places(lines, ("parcel_address", "owner_address"), BEFORE, home)
    serials = _cells(lines, "certificate_serial")
    yield _flags(serials, serial_columns(serials["raw"]), "serial_flag", _SERIALS)
    yield _not_listed(lines, "owner_kind", _KINDS, "kind-unknown")
    yield _not_listed(lines, "owner_role", _ROLES, "role-unknown")


def _citizen_classes(lines: pl.DataFrame, home: list[str]) -> Iterator[Mapping[str, int]]:
    yield _names(_cells(lines, "full_name"))
    yield from _fields(lines, "birth_date", "sex", "citizen_id", None)
    former = _cells(lines, "former_id_no")
    yield _flags(former, id_columns(former["raw"]), "id_flag", _IDS)
    yield from _places(lines, ("address",), FROM, home)
    yield _not_listed(lines, "status", _STATUSES, "status-unknown")


def _cells(lines: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """`raw`: the distinct values of some columns; `cells`: how many cells hold each."""
    values = pl.concat([lines[name].alias("raw") for name in columns]).drop_nulls()
    return values.value_counts(name="cells").with_columns(pl.col("cells").cast(pl.Int64))


def _flags(cells: pl.DataFrame, table: pl.DataFrame, flag: str, classes: Mapping[str, str]) -> Mapping[str, int]:
    """Cells by class, where a table of distinct values gives each a flag."""
    joined = cells.join(table.select("raw", flag), on="raw", how="inner").filter(pl.col(flag).is_in(list(classes)))
    counted: Counter[str] = Counter()
    for code, found in joined.group_by(flag).agg(pl.col("cells").sum()).iter_rows():
        counted[classes[code]] += found
    return counted


def _sums(cells: pl.DataFrame, cases: Mapping[str, pl.Expr]) -> Mapping[str, int]:
    """Cells for which each case holds."""
    sums = (pl.col("cells").filter(case.fill_null(value=False)).sum().alias(code) for code, case in cases.items())
    return cells.select(sums).row(0, named=True)


def _encoded() -> dict[str, pl.Expr]:
    odd = (pl.col("encoding") == "unicode") & pl.col("raw").str.contains(_OTHER_FORM)
    return {f"name-{name}": pl.col("encoding") == name for name in _ENCODINGS} | {"name-unicode-form": odd}


def _any_person(case: pl.Expr) -> pl.Expr:
    return pl.col("persons").list.eval(case).list.any()


def _texts(cells: pl.DataFrame) -> Mapping[str, int]:
    """What owner cells say beside a name."""
    parsed = cells.join(parse_owner_column(cells["raw"]), on="raw", how="inner")

    def field(name: str) -> pl.Expr:
        return pl.element().struct.field(name)

    person = pl.col("kind") == "person"
    cases = {
        **_encoded(),
        "name-without-accents": person & _any_person(~field("accented")),
        "honorific-in-name": person & _any_person(field("sex").is_not_null() | field("household_head")),
        "several-persons": person & (pl.col("persons").list.len() > 1),
        "birth-in-name": _any_person(field("birth_text").is_not_null()),
        "number-in-name": _any_person(field("id_no").is_not_null()),
        "deceased-in-name": _any_person(field("deceased")),
        "heirs": pl.col("form") == "heirs",
        **{kind: pl.col("kind") == kind for kind in ("organisation", "community", "religious")},
        "unreadable-name": pl.col("kind") == "unknown",
        "left-over-text": pl.col("flags").list.eval(pl.element().str.starts_with("leftover")).list.any(),
    }
    return _sums(parsed, cases)


def _names(cells: pl.DataFrame) -> Mapping[str, int]:
    """What the register's own names show."""
    accented = name_columns(cells["raw"]).select("raw", "accented")
    encodings = [repair(text).encoding for text in cells["raw"].to_list()]
    read = cells.with_columns(pl.Series("encoding", encodings, pl.String)).join(accented, on="raw", how="left")
    return _sums(read, {**_encoded(), "name-without-accents": ~pl.col("accented")})


def _fields(
    lines: pl.DataFrame, birth: str, sex: str, number: str, coding: Mapping[str, str] | None
) -> Iterator[Mapping[str, int]]:
    """Birth, sex and number of one person, each by itself, then the number against the other two."""
    births, sexes, numbers = (_cells(lines, name) for name in (birth, sex, number))
    read_births, read_sexes = birth_columns(births["raw"]), sex_columns(sexes["raw"], coding)
    read_numbers = id_columns(numbers["raw"])
    yield _flags(births, read_births, "birth_flag", _BIRTHS)
    yield _flags(sexes, read_sexes, "sex_flag", _SEXES)
    yield _flags(numbers, read_numbers, "id_flag", _IDS)
    nine = pl.col("id9").is_not_null() & pl.col("id12").is_null()
    yield _sums(numbers.join(read_numbers, on="raw", how="inner"), {"id-nine-digits": nine})
    rows = lines.select(birth, sex, number).drop_nulls(number)
    tables = ((birth, read_births, "birth_year"), (sex, read_sexes, "sex"), (number, read_numbers, "id12"))
    for column, read, value in tables:
        rows = rows.join(read.select(pl.col("raw").alias(column), pl.col(value).alias(f"_{value}")), column, "left")
    agrees = id12_structure_agrees(pl.col("_id12"), sex=pl.col("_sex"), birth_year=pl.col("_birth_year"))
    yield {"id-contradicts": int(rows.select((~agrees).sum()).item() or 0)}


def _places(lines: pl.DataFrame, columns: Sequence[str], vintage: str, home: list[str]) -> Iterator[Mapping[str, int]]:
    """Addresses and commune codes; the first address settles a code of the wrong list."""
    cells = _cells(lines, *columns)
    repaired = [repair(text) for text in cells["raw"].to_list()]
    texts = cells.with_columns(
        pl.Series("text", [each.text for each in repaired], pl.String),
        pl.Series("encoding", [each.encoding for each in repaired], pl.String),
    )
    table = address_columns(texts["text"].unique(), home_provinces=home).rename({"raw": "text"})
    read = texts.join(table.select("text", "address_flag", "commune_candidates"), on="text", how="left")
    yield _flags(cells, read, "address_flag", _ADDRESSES)
    yield _sums(texts, {"address-encoding": pl.col("encoding").is_in(_ENCODINGS)})
    hints = read.select(pl.col("raw").alias(columns[0]), "commune_candidates")
    coded = lines.select("commune_code", "commune_code_vintage", columns[0])
    coded = coded.join(hints, on=columns[0], how="left", maintain_order="left")
    resolved = resolve_commune(
        coded["commune_code"], coded["commune_code_vintage"], coded["commune_candidates"], default_vintage=vintage
    )
    flagged = resolved.select(raw="commune_flag", commune_flag="commune_flag")
    yield _flags(_cells(flagged, "raw"), flagged.unique("raw"), "commune_flag", _COMMUNES)


def _not_listed(lines: pl.DataFrame, column: str, listed: Sequence[str], code: str) -> Mapping[str, int]:
    values = lines[column].drop_nulls().str.strip_chars().str.to_lowercase()
    return {code: int((~values.is_in(listed)).sum())}


# --- the check of files -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class FileCheck:
    """One input: how it was read, which rows would be refused, and its profile."""

    file: str
    format: str
    rows_read: int
    rows_used: int
    rejected: Mapping[str, int]
    columns_found: tuple[str, ...]
    columns_without_value: tuple[str, ...]
    notes: tuple[str, ...]
    profile: TableProfile
    matched: tuple[Matched, ...] = ()


def check_files(
    owners: Path, citizens: Path | None, config: Config, *, display: Display | None = None
) -> dict[str, FileCheck]:
    """The check of a land register file and of an extract of the population register; `InputError` as in a run."""
    told = config.sources
    with Progress(STEPS, display or SilentDisplay()) as progress:
        with progress.step("read"):
            land = read_owners(owners, mapping_of(told.owners))
            people = read_citizens(citizens, mapping_of(told.citizens)) if citizens else None
        with progress.step("profile"):
            lines = None if people is None else people.lines
            home = config.run.home_provinces
            found = profile(land.lines, lines, sex_coding=told.owners.sex_coding, home_provinces=home)
    checks = {"land_owners": _file_check(owners, land, found.owners)}
    if citizens and people and found.citizens:
        checks["citizens"] = _file_check(citizens, people, found.citizens)
    return checks


def _file_check(path: Path, source: Source, table: TableProfile) -> FileCheck:
    reasons = source.rejected["reason"].value_counts(sort=True).iter_rows() if source.rejected.height else ()
    return FileCheck(
        file=path.name,
        format=source.format,
        rows_read=source.rows_read,
        rows_used=source.lines.height,
        rejected=dict(reasons),
        columns_found=source.columns_found,
        columns_without_value=table.without_value,
        notes=source.notes,
        profile=table,
        matched=source.matched,
    )


def as_json(checks: Mapping[str, FileCheck]) -> dict[str, Any]:
    """All figures, with the words of the classes found."""
    codes = {code for check in checks.values() for code in check.profile.error_classes}
    words = {code: dict(_words(code)._asdict()) for code in WORDS if code in codes}
    return {"format": 1, "inputs": {role: asdict(check) for role, check in checks.items()}, "words": words}


def report_lines(checks: Mapping[str, FileCheck]) -> Iterator[str]:
    """A table to read on a terminal: English, and beside each class of error its Vietnamese."""
    for role, check in checks.items():
        yield f"{role}: {check.file} ({check.format})"
        yield from _account_lines(check)
        yield from _header_lines(check.matched)
        yield "  filled cells"
        yield from (f"    {share:>9.1%}  {name}" for name, share in check.profile.fill_rates.items() if share)
        yield from _class_lines(check.profile)


def _account_lines(check: FileCheck) -> Iterator[str]:
    refused = check.rows_read - check.rows_used
    yield f"  rows read {check.rows_read:,} = used {check.rows_used:,} + rejected {refused:,}"
    yield from (f"    {rows:>9,}  {reason}{_in_vietnamese(reason)}" for reason, rows in check.rejected.items())
    yield from (f"  note: {note}" for note in check.notes)
    yield f"  columns in the file: {len(check.columns_found)}"
    yield f"  columns absent or empty: {', '.join(check.columns_without_value) or 'none'}"


def _header_lines(accounts: Sequence[Matched]) -> Iterator[str]:
    """Which header became which field; parts with the same headers are told once."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for account in accounts:
        alike.setdefault((account.used, account.unused), []).append(account.part)
    for (used, unused), parts in alike.items():
        more = f" and {len(parts) - 1} more" if len(parts) > 1 else ""
        yield f"  headers of {parts[0]}{more}"
        width = max((len(ours) for ours, _ in used), default=0)
        yield from (f"    {ours:<{width}} ← {_quoted(header)}" for ours, header in used)
        yield f"    not used: {', '.join(map(_quoted, unused)) or 'none'}"


def _quoted(header: str) -> str:
    return f'"{" ".join(header.split())}"'


def refuse_unusable(checks: Mapping[str, FileCheck]) -> None:
    """`InputError` where an input has no usable row: a run would stop there too."""
    for check in checks.values():
        if check.rows_used == 0:
            message = (
                f"{check.file}: expected at least one usable row, found {check.rows_read} rows and none usable; "
                "mend them for the reasons above or give another file."
            )
            raise InputError(message)


def _class_lines(table: TableProfile) -> Iterator[str]:
    sampled = f" (from {table.examined:,} of {table.rows:,} lines)" if table.examined < table.rows else ""
    yield f"  found and handled{sampled}" if table.error_classes else "  no error found"
    width = max((len(_words(code).english) for code in table.error_classes), default=0)
    for code, cells in sorted(table.error_classes.items(), key=lambda item: -item[1]):
        english, vietnamese = _words(code)
        yield f"    {cells:>9,}  {english:<{width}}  {vietnamese}"


def _in_vietnamese(reason: str) -> str:
    words = REFUSALS.get(reason.partition(":")[0])
    return f"  {words.vietnamese}" if words else ""


def _words(code: str) -> Words:
    """The words of a class; those of citizens say so.

    >>> _words("citizens:sex-typo").english
    'citizens: slip in the sex'
    """
    plain = WORDS[code.removeprefix("citizens:")]
    return plain if code in WORDS else Words(f"citizens: {plain.english}", f"Dân cư: {plain.vietnamese}")
