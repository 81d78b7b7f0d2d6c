"""A finished run that never ran: realistic shapes, planted secrets, known truth.

Every name, number and serial that must not reach a masked page stands in `SECRETS`.
"""

# ruff: noqa: E501 (tables of words and figures read better on one line)

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from pathlib import Path

FAMILY = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng"]
MIDDLE = ["Văn", "Thị", "Đức", "Ngọc"]
GIVEN = ["Hùng", "Lượm", "Ánh", "Quý", "Thuý", "Dũng", "Mẫn"]
SECRETS = [
    *GIVEN,
    "Nguyễn",
    "Hoàng",
    "Thôn Đông",
    "xóm Bến Tre Cạn",
    "AD 266864",
    "266864",
    "31021957",
    "/secret-folder",
]
COMPARISONS: dict[str, list[tuple[str, float | None, float | None]]] = {
    "name": [
        ("thiếu", None, None), ("trùng cả dấu", 0.71, 0.00021), ("trùng khi bỏ dấu", 0.17, 0.00043),
        ("gần giống", 0.09, 0.0031), ("khác", 0.03, 0.9962),
    ],
    "birth_year": [("thiếu", None, None), ("cùng năm", 0.86, 0.014), ("lệch tới 2 năm", 0.09, 0.055), ("khác", 0.05, 0.931)],
    "id_number": [("thiếu", None, None), ("trùng số", 0.93, 0.0000012), ("sai một chữ số", 0.04, 0.0000051), ("khác số", 0.03, 0.9999937)],
    "commune": [("thiếu", None, None), ("cùng xã", 0.81, 0.0031), ("cùng tỉnh", 0.12, 0.06), ("khác", 0.07, 0.9369)],
    "sex": [("thiếu", None, None), ("cùng giới", 0.985, 0.5), ("khác giới", 0.015, 0.5)],
    "spouse": [("thiếu", None, None), ("trùng tên", 0.64, 0.0012), ("khác", 0.36, 0.9988)],
}  # fmt: skip
PRIOR = 2e-5


def make_run(folder: Path, persons: int = 2500, seed: int = 7) -> pl.DataFrame:
    """Write a run into `folder`; return its truth."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    people = _people(rng, persons)
    candidates = _candidates(rng, people)
    links = _links(rng, people, candidates)
    links.drop("true_citizen_id", "organisation").write_parquet(folder / "links.parquet")
    candidates.drop("right").write_parquet(folder / "candidates.parquet")
    _persons(people, links).write_parquet(folder / "persons.parquet")
    _rejected().write_parquet(folder / "rejected.parquet")
    (folder / "model.json").write_text(json.dumps(_model(), ensure_ascii=False), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(_manifest(links), ensure_ascii=False), encoding="utf-8")
    return _truth(links)


def _people(rng: np.random.Generator, persons: int) -> pl.DataFrame:
    def pick(words: list[str]) -> list[str]:
        return [words[at] for at in rng.integers(0, len(words), persons)]

    names = [" ".join(parts) for parts in zip(pick(FAMILY), pick(MIDDLE), pick(GIVEN), strict=True)]
    ids = [f"001{90 + n % 9:03d}{777000 + n:06d}" for n in range(persons)]
    return pl.DataFrame(
        {
            "person_id": [f"p{n:06d}" for n in range(persons)],
            "name": names,
            "birth_year": rng.integers(1930, 2003, persons).astype(np.int16),
            "commune_code": [f"{10000 + 3 * n:05d}" for n in rng.integers(0, 25, persons)],
            "sex": pick(["M", "F"]),
            "id12": [number if rng.random() < 0.55 else None for number in ids],
            "id9": [f"11{n:07d}" if rng.random() < 0.3 else None for n in range(persons)],
            "hamlet": pick(["Thôn Đông", "xóm Bến Tre Cạn"]),
            "spouse_name": pick([f"Trần Thị {given}" for given in GIVEN]),
            "true_citizen_id": [number if rng.random() < 0.93 else None for number in ids],
            "lines": np.minimum(rng.geometric(0.55, persons), 40).astype(np.int32),
            "organisation": rng.random(persons) < 0.04,
        }
    )


def _candidates(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for person, truth, at in zip(people["person_id"], people["true_citizen_id"], range(people.height), strict=True):
        right = truth is not None and rng.random() < 0.975
        rows.append(_candidate(rng, person, truth if right else f"0010665{at:05d}", right=right))
    return pl.DataFrame(rows).with_columns(pl.col("rank").cast(pl.Int32))


def _candidate(rng: np.random.Generator, person: str, citizen: str, *, right: bool) -> dict[str, Any]:
    row: dict[str, Any] = {"person_id": person, "citizen_id": citizen, "rank": 1, "right": right}
    weight = np.log2(PRIOR / (1 - PRIOR)) + (4.0 if right else 1.0)
    for name, levels in COMPARISONS.items():
        gamma, bits = _level(rng, levels, right=right)
        row |= {f"gamma_{name}": gamma, f"bf_{name}": bits}
        weight += bits
    tf = float(rng.normal(0.4, 1)) if row["gamma_name"] > 1 else 0.0
    probability = 1 / (1 + 2 ** -min(weight + tf, 60))
    return row | {"bf_tf_name": tf, "match_weight": weight + tf, "match_probability": probability}


def _level(
    rng: np.random.Generator, levels: list[tuple[str, float | None, float | None]], *, right: bool
) -> tuple[int, float]:
    if rng.random() < 0.22:
        return -1, 0.0
    trained = [(m, u) for _, m, u in levels if m is not None and u is not None]
    shares = np.array([m if right else 0.5 * m + 0.5 * u for m, u in trained])
    at = int(rng.choice(len(trained), p=shares / shares.sum()))
    m, u = trained[at]
    return len(trained) - 1 - at, float(np.log2(m / u))


def _links(rng: np.random.Generator, people: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    best = candidates.select("person_id", "citizen_id", "match_weight", "match_probability")
    probability = pl.col("match_probability")
    decision = (
        pl.when("organisation").then(pl.lit("not_a_person")).when(probability >= 0.995).then(pl.lit("link"))
        .when(probability >= 0.7).then(pl.lit("ask")).when(probability >= 0.1).then(pl.lit("review"))
        .otherwise(pl.lit("no_match"))
    )  # fmt: skip
    reason = pl.col("decision").replace_strict(
        {"link": "id-number-agrees", "ask": "namesake-in-commune", "review": "birth-year-differs",
         "no_match": "no-candidate-above-floor", "not_a_person": "organisation-word"}
    )  # fmt: skip
    lines = people.join(best, on="person_id", how="left").with_columns(decision=decision)
    rows = lines.select(pl.exclude("lines"), pl.int_ranges(0, "lines").alias("n")).explode("n")
    return rows.with_row_index("row").select(
        owner_record_id=pl.lit("L") + pl.col("row").cast(pl.String),
        role=pl.Series(rng.random(rows.height) < 0.3).replace_strict({True: "co_owner", False: "owner"}, return_dtype=pl.String),
        person_id="person_id",
        citizen_id=pl.when(pl.col("decision") != "not_a_person").then("citizen_id"),
        match_weight="match_weight", match_probability="match_probability", decision="decision", reason=reason,
        runner_up_citizen_id=pl.lit(None, dtype=pl.String), runner_up_probability=pl.lit(None, dtype=pl.Float64),
        has_id=pl.col("id12").is_not_null() | pl.col("id9").is_not_null(), sex="sex", birth_year="birth_year",
        commune_code="commune_code", true_citizen_id="true_citizen_id", organisation="organisation",
    )  # fmt: skip


def _persons(people: pl.DataFrame, links: pl.DataFrame) -> pl.DataFrame:
    reason = (
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("same-id-number")).otherwise(pl.lit("name-year-commune"))
    )
    members = links.with_columns(reason=reason).group_by("person_id").agg(
        members=pl.struct("owner_record_id", "role", "reason")
    )  # fmt: skip
    marked = pl.when(pl.int_range(pl.len()) % 211 == 0).then(pl.lit("two-id12: 001090777003, 001091777004"))
    return people.drop("true_citizen_id", "organisation").join(members, on="person_id").with_columns(conflict=marked)


def _rejected() -> pl.DataFrame:
    reasons = [
        "null-id: no owner_record_id",
        "duplicate-id: 'AD 266864' stands twice",
        "total-row: a sum, not an owner",
    ]
    return pl.DataFrame(
        {
            "file": ["/secret-folder/so-dia-chinh.xlsx"] * 14,
            "row": list(range(14)),
            "column": ["owner_record_id"] * 14,
            "value": ["Hoàng Đức Mẫn 31021957"] * 14,
            "reason": [reasons[min(n // 6, 2)] for n in range(14)],
        }
    )


def _truth(links: pl.DataFrame) -> pl.DataFrame:
    return links.select(
        "owner_record_id",
        "role",
        kind=pl.when("organisation").then(pl.lit("organisation")).otherwise(pl.lit("person")),
        person="person_id",
        citizen_id=pl.when(~pl.col("organisation")).then("true_citizen_id"),
    )


def _model() -> dict[str, Any]:
    comparisons = [
        {
            "output_column_name": name,
            "comparison_levels": [
                {"sql_condition": "1", "label_for_charts": label, "is_null_level": m is None}
                | ({} if m is None else {"m_probability": m, "u_probability": u})
                for label, m, u in levels
            ],
        }
        for name, levels in COMPARISONS.items()
    ]
    sentences = {
        "name": ("Full name with tones and accents, then folded, then nearly so.", "Họ tên: trùng cả dấu, trùng khi bỏ dấu, hoặc gần giống."),
        "birth_year": ("Year of birth, placeholders set aside.", "Năm sinh; năm ghi tạm coi như thiếu."),
        "id_number": ("12-digit or 9-digit number, one slip allowed.", "Số CCCD hoặc CMND, cho phép sai một chữ số."),
        "commune": ("Commune of residence after the 2025 reorganisation.", "Xã nơi ở, theo danh mục sau ngày 1/7/2025."),
        "sex": ("Sex as written.", "Giới tính như đã ghi."),
        "spouse": ("Name of the spouse.", "Họ tên vợ hoặc chồng."),
    }  # fmt: skip
    card = {
        "trained_on": {"rows": {"owners": 4500, "citizens": 2400}, "hashes": {"owners": "9f2c41d0aa"}},
        "iterations": 14, "convergence": "largest change 0.00008 < 0.0001",
        "sentences": {name: english for name, (english, _) in sentences.items()},
        "sentences_vi": {name: vietnamese for name, (_, vietnamese) in sentences.items()},
    }  # fmt: skip
    splink = {"probability_two_random_records_match": PRIOR, "comparisons": comparisons}
    return {"quychu_model": 1, "splink": splink, "card": card}


def _manifest(links: pl.DataFrame) -> dict[str, Any]:
    steps = [("read", 1.9, 210), ("normalise", 4.2, 420), ("gather", 3.1, 510), ("block", 2.4, 640), ("train", 11.8, 900),
             ("score", 5.5, 980), ("decide", 1.2, 700), ("write", 2.0, 560)]  # fmt: skip
    return {
        "versions": {"quychu": "0.1.0", "splink": "5.0.0", "duckdb": "1.5.6", "polars": "2.1.0", "python": "3.11.2"},
        "inputs": {
            "owners": {"file": "/secret-folder/so-dia-chinh.xlsx", "sha256": "9f2c41d0aa" * 6, "rows": 4521},
            "citizens": {"file": "/secret-folder/dan-cu.parquet", "sha256": "11ab90cd3e" * 6, "rows": 2400},
        },
        "config_hash": "5be1" * 8, "model_hash": "c07d" * 8,
        "counts": {"rows_read": links.height + 14, "rows_used": links.height, "rows_rejected": 14, "persons": 2500, "pairs": 61200},
        "steps": [{"name": name, "seconds": s, "rows": 4507, "peak_bytes": mb * 2**20} for name, s, mb in steps],
        "fill_rates": {
            "land_owners": {"owner_name": 1.0, "owner_birth": 0.83, "owner_sex": 0.71, "owner_id_no": 0.58, "owner_address": 0.77, "co_owner_name": 0.31},
            "citizens": {"full_name": 1.0, "former_id_no": 0.48, "birth_date": 0.999, "sex": 1.0, "spouse_name": 0.62},
        },
        "error_classes": {"tcvn3-text": 412, "lost-leading-zero": 188, "placeholder-birth": 530, "honorific-in-name": 1904, "float-notation": 61},
        "blocking": [
            {"rule": "l.id12 = r.id12", "pairs": 1490, "largest_block": 2, "new_pairs": 1490},
            {"rule": "l.name = r.name and l.birth_year = r.birth_year", "pairs": 20310, "largest_block": 41, "new_pairs": 19102},
            {"rule": "l.given = r.given and l.commune = r.commune and l.birth_year = r.birth_year", "pairs": 48800, "largest_block": 66, "new_pairs": 40608},
        ],
        "reduction_ratio": 0.98980, "seconds": 32.1, "peak_bytes": 980 * 2**20,
    }  # fmt: skip
