"""What a run hands over: the persons, the candidates, and the office's own workbook.

Rules
- `persons.parquet` and `candidates.parquet` speak of owners after quy chủ, under the same `person_id` as the links.
- `links.xlsx` holds the office's own rows in their order and columns; ours stand behind them. Refused rows are there
  too, with the reason.
- Officers read Vietnamese; a probability is told in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from linkage.decide.decisions import DECISIONS, REASONS
from linkage.engines.duckdb import Connection, fetch
from linkage.errors import UnreadableFileError
from linkage.normalise.communes import name_of
from linkage.outputs.spreadsheet import Sheet, WrittenWorkbook, split_by, write_workbook
from linkage.profile import REFUSALS

PART, ROW = "source_part", "row_number"
_REJECTED = "Bị loại khi đọc"
_CERTAINTY = ((0.999, "Rất chắc chắn"), (0.99, "Chắc chắn"), (0.9, "Khá chắc"), (0.5, "Có thể"), (0.1, "Ít khả năng"))
_LABELS = {
    "decision": "Kết quả",
    "reason": "Lý do",
    "citizen_id": "Số định danh đề xuất",
    "certainty": "Mức độ tin cậy",
    "person_id": "Mã chủ sử dụng (quy chủ)",
}
_WHO = {"owner": "", "co_owner": " (người thứ hai)"}


def persons(con: Connection) -> pl.DataFrame:
    """One row an owner after quy chủ: gathered fields, and each line it gathers with the reason."""
    described = fetch(
        con,
        """select o.owner_id as person_id, p.kind, p.name, p.birth_year, p.birth_month, p.birth_day, p.sex,
                  p.id12, p.id9, coalesce(p.commune, p.parcel_commune) as commune_code, p.hamlet,
                  p.spouse_folded as spouse_name, p.deceased, p.conflict
           from persons as p join owners as o using (id) where o.owner_id = o.person_id""",
    )
    lines = fetch(
        con,
        """select m.mention, o.owner_id as person_id, l.owner_record_id, m.role,
                  case when o.owner_id <> o.person_id and b.reason = 'alone' then 'same_citizen'
                       else b.reason end as reason
           from members as b join owners as o using (id) join mentions as m using (mention)
           join owner_ids as l using (line) order by m.mention""",
    )
    member = pl.struct("owner_record_id", "role", "reason").alias("members")
    gathered = lines.group_by("person_id", maintain_order=True).agg(pl.len().cast(pl.Int32).alias("lines"), member)
    return described.join(gathered, on="person_id", how="left").sort("person_id")


def candidates(con: Connection) -> pl.DataFrame:
    """Scored pairs worth keeping: the best of each person, and rivals that weigh at least a thousandth."""
    frame = fetch(
        con,
        """select o.owner_id as person_id, z.citizen_id, c.* exclude (l, r)
           from candidates as c join owners as o on o.id = c.r join citizens as z on z.id = c.l
           where c.rank = 1 or c.match_probability >= 0.001
           qualify row_number() over (partition by o.owner_id, c.l order by c.match_weight desc) = 1
           order by person_id, rank, citizen_id""",
    )
    return frame.with_columns(pl.col("rank").cast(pl.Int32))


def _certainty() -> pl.Expr:
    words = pl.lit("Rất ít khả năng")
    for least, text in reversed(_CERTAINTY):
        words = pl.when(pl.col("match_probability") >= least).then(pl.lit(text)).otherwise(words)
    return pl.when(pl.col("citizen_id").is_not_null()).then(words)


def _told(links: pl.DataFrame) -> pl.DataFrame:
    """Links in an officer's words."""
    reasons = {code: words[1] for code, words in REASONS.items()}
    proposed = pl.col("decision").is_in(["link", "ask", "review"])
    return links.select(
        "owner_record_id",
        "role",
        decision=pl.col("decision").replace_strict(dict(DECISIONS), default=None, return_dtype=pl.String),
        reason=pl.col("reason").replace_strict(reasons, default=None, return_dtype=pl.String),
        citizen_id=pl.when(proposed).then(pl.col("citizen_id")),
        certainty=pl.when(proposed).then(_certainty()),
        person_id="person_id",
    )


def _beside(told: pl.DataFrame) -> pl.DataFrame:
    """One row a line: the owner's columns, the co-owner's, and all further persons in one text."""
    owner = told.filter(pl.col("role") == "owner").drop("role")
    second = told.filter(pl.col("role") == "co_owner").drop("role")
    rest = told.filter(~pl.col("role").is_in(["owner", "co_owner"]))
    words = pl.format("{}: {}", "decision", pl.col("citizen_id").fill_null("–"))
    others = rest.group_by("owner_record_id", maintain_order=True).agg(others=words.str.join("; "))
    joined = owner.join(second, on="owner_record_id", how="left", suffix="_2", maintain_order="left")
    return joined.join(others, on="owner_record_id", how="left", maintain_order="left")


def _labelled() -> dict[str, str]:
    names = {name: label + _WHO["owner"] for name, label in _LABELS.items()}
    names |= {f"{name}_2": label + _WHO["co_owner"] for name, label in _LABELS.items()}
    return names | {"others": "Những người khác cùng dòng"}


def _in_vietnamese(reason: pl.Expr) -> pl.Expr:
    """A refusal's reason in an officer's words, or as it is where it is not known."""
    told = {code: words.vietnamese for code, words in REFUSALS.items()}
    code = reason.str.extract("^([a-z-]+):")
    return pl.coalesce(code.replace_strict(told, default=None, return_dtype=pl.String), reason)


def _rows(
    originals: pl.DataFrame, lines: pl.LazyFrame, links: pl.DataFrame, rejected: pl.DataFrame
) -> tuple[pl.DataFrame, dict[str, str]]:
    keys = lines.select("owner_record_id", ROW, PART).collect()
    on = [name for name in (PART, ROW) if name in keys.columns and name in originals.columns]
    ours = _beside(_told(links))
    commune = links.filter(pl.col("role") == "owner").select("owner_record_id", _new="commune_code")
    keyed = keys.join(ours, on="owner_record_id", how="left").join(commune, on="owner_record_id", how="left")
    keyed = keyed.rename({name: f"_{name}" for name in ours.columns})
    rows = originals.join(keyed, on=on, how="left", maintain_order="left")
    refused = rejected.rename({"file": PART, "row": ROW}).group_by(PART, ROW)
    why = refused.agg(_why=_in_vietnamese(pl.col("reason")).first())
    rows = rows.join(why, on=[PART, ROW], how="left", maintain_order="left")
    absent = pl.col("_decision").is_null()
    rows = rows.with_columns(
        _decision=pl.when(absent).then(pl.lit(_REJECTED)).otherwise(pl.col("_decision")),
        _reason=pl.when(absent).then(pl.col("_why")).otherwise(pl.col("_reason")),
    )
    labels = {f"_{name}": label for name, label in _labelled().items()}
    own = [name for name in originals.columns if name not in (PART, ROW)]
    return rows.select("_new", *own, *labels), labels


def _summary(rows: pl.DataFrame) -> Sheet:
    table = (
        rows.with_columns(Xã=pl.col("_new").map_elements(_commune_name, return_dtype=pl.String, skip_nulls=False))
        .group_by("Xã", maintain_order=True)
        .agg(
            pl.len().cast(pl.String).alias("Số dòng"),
            *[
                (pl.col("_decision") == words).sum().cast(pl.String).alias(words)
                for words in [*DECISIONS.values(), _REJECTED]
            ],
        )
    )
    return Sheet("Tổng hợp", table)


def _commune_name(code: str | None) -> str:
    found = name_of(code) if code else None
    return f"{found} ({code})" if found else code or "Không rõ xã"


def workbook(
    path: Path, originals: pl.DataFrame, lines: pl.LazyFrame, links: pl.DataFrame, rejected: pl.DataFrame
) -> WrittenWorkbook:
    """Write the office's rows with our columns behind them, one sheet a commune."""
    rows, labels = _rows(originals, lines, links, rejected)
    like = Sheet("", rows, header_labels=labels)
    sheets = (_without(sheet, "_new") for sheet in split_by(rows, "_new", _commune_name, like))
    return write_workbook(path, [_summary(rows), *sheets])


def _without(sheet: Sheet, column: str) -> Sheet:
    """The sheet without the column it was split by, which is none of the office's."""
    parts = [sheet.frame] if isinstance(sheet.frame, pl.DataFrame) else sheet.frame
    return replace(sheet, frame=(part.drop(column) for part in parts))


def hash_of(path: Path, hash_file: Callable[[Path], str]) -> str:
    """SHA-256 of a file; of a folder, that of its files' names and hashes."""
    if path.is_file():
        return hash_file(path)
    if not path.is_dir():
        raise UnreadableFileError(path.name, "expected a file, found none", "check the path")
    listed = "\n".join(f"{file.name} {hash_file(file)}" for file in sorted(path.iterdir()) if file.is_file())
    return hashlib.sha256(listed.encode()).hexdigest()
