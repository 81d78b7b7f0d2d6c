"""The page: safe to pass on, whole without a network, honest about what is missing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import polars as pl
import pytest

from linkage.decide.decisions import DECISIONS
from linkage.errors import UnreadableFileError
from linkage.report import words
from linkage.report.metrics import evaluate
from linkage.report.page import write_report
from linkage.results import _labelled
from tests.linkage.report.fake_run import SECRETS, make_run

if TYPE_CHECKING:
    from pathlib import Path

VOID = {"meta", "input", "br", "path", "use", "rect", "link", "img", "hr"}


class Outline(HTMLParser):
    """Collects ids, headings, references, and checks that every element is closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.references: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in {"src", "href", "xlink:href", "action", "srcset"}:
                self.references.append(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "xã Đông"
    truth = make_run(folder, persons=300)
    links = pl.read_parquet(folder / "links.parquet")
    (folder / "evaluation.json").write_text(evaluate(links, truth, bootstraps=20).to_json(), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def page(run: Path) -> str:
    return write_report(run).read_text(encoding="utf-8")


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    return parser


def test_no_planted_name_number_or_serial_is_in_the_masked_page(page: str) -> None:
    assert [secret for secret in SECRETS if secret in page] == []


def test_no_id_number_of_the_run_is_in_the_masked_page(run: Path, page: str) -> None:
    links = pl.read_parquet(run / "links.parquet")
    persons = pl.read_parquet(run / "persons.parquet")
    numbers = {*links["citizen_id"].drop_nulls(), *persons["id12"].drop_nulls(), *persons["id9"].drop_nulls()}
    assert not {number for number in numbers if number in page}
    assert (
        re.findall(
            r"(?<![\d.#-])\d{9}(?:\d{3})?(?![\d.])",
            re.sub(r"<svg.*?</svg>|<style.*?</style>", "", page, flags=re.DOTALL),
        )
        == []
    )


def test_with_names_another_file_says_so_in_its_name_and_first_line(run: Path) -> None:
    target = write_report(run, with_names=True)
    lines = target.read_text(encoding="utf-8").splitlines()
    assert target.name == "report-with-names.html"
    assert "CÓ TÊN VÀ SỐ THẬT" in lines[0]
    assert "HOLDS REAL NAMES AND NUMBERS" in lines[0]
    text = "\n".join(lines)
    assert 'class="names"' in text
    assert re.search(r"<dd>(Nguyễn|Trần|Lê|Phạm|Hoàng|Đặng) ", text)


def test_the_page_needs_nothing_from_outside(page: str) -> None:
    found = outline(page)
    assert all(reference.startswith("#") for reference in found.references)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(found.tags)
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert re.findall(r"url\((?!#)", page) == []


def test_the_page_is_well_formed_and_its_ids_are_unique(page: str) -> None:
    found = outline(page)
    assert found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert {reference[1:] for reference in found.references} <= set(found.ids)


def test_headings_captions_and_charts_can_be_read_aloud(page: str) -> None:
    found = outline(page)
    assert found.tags.count("h1") == 1
    assert found.tags.count("table") == found.tags.count("caption")
    pictures = re.findall(r"<svg [^>]*>", page)
    assert len(pictures) == 7
    assert all('role="img"' in picture and "aria-label=" in picture for picture in pictures)


def test_equal_runs_give_equal_pages(run: Path, page: str) -> None:
    assert write_report(run).read_text(encoding="utf-8") == page


def test_both_languages_stand_in_the_page(page: str) -> None:
    assert "Việc cần làm tiếp" in page
    assert "What to do next" in page
    assert page.count('lang="vi">') > 100
    assert "font-family: 'Segoe UI', 'Noto Sans'" in page


def test_a_run_of_nothing_but_links_says_what_is_missing(run: Path, tmp_path: Path) -> None:
    pl.read_parquet(run / "links.parquet").write_parquet(tmp_path / "links.parquet")
    text = write_report(tmp_path).read_text(encoding="utf-8")
    for what in ("candidates.parquet", "persons.parquet", "run.json: blocking", "model.json: card", "rejected.parquet"):
        assert f"<code>{what}</code>" in text


def test_a_manifest_with_gaps_is_no_crash(run: Path, tmp_path: Path) -> None:
    pl.read_parquet(run / "links.parquet").write_parquet(tmp_path / "links.parquet")
    gaps = {
        "counts": {},
        "steps": [{"name": "read"}],
        "blocking": [{"rule": "x"}],
        "inputs": {"owners": {}},
        "fill_rates": {"t": {"c": None}},
    }
    (tmp_path / "run.json").write_text(json.dumps(gaps))
    (tmp_path / "model.json").write_text(json.dumps({"splink": {"comparisons": [{"comparison_levels": [{}]}]}}))
    assert outline(write_report(tmp_path).read_text(encoding="utf-8")).open == []


def test_the_manifest_of_the_pipeline_is_read_as_well(run: Path, tmp_path: Path) -> None:
    pl.read_parquet(run / "links.parquet").write_parquet(tmp_path / "links.parquet")
    manifest = {
        "inputs": [{"role": "owners", "file": "so.xlsx", "sha256": "ab" * 32, "bytes": 1, "rows": None}],
        "config": {"sha256": "5be1" * 16},
        "model": {"sha256": None},
        "peak_memory_bytes": 3 * 2**30,
        "steps": [{"name": "read", "seconds": 1.0, "rows": None, "peak_memory_bytes": 2**30, "details": {}}],
        "reasons": {"id-number-agrees": ["the number agrees", "Trùng số định danh"]},
        "sections": {
            "blocking": [{"rule": "id12", "pairs": 3, "new_pairs": 3, "largest_block": 1, "overflow_pairs": 9}]
        },
    }
    (tmp_path / "run.json").write_text(json.dumps(manifest))
    text = write_report(tmp_path).read_text(encoding="utf-8")
    for told in ("so.xlsx", "5be1" * 16, "3,072", "1,024", "Trùng số định danh", "Pairs left out"):
        assert told in text


def test_decisions_have_the_words_of_the_offices_workbook() -> None:
    assert {code: both.vi for code, both in words.DECISIONS.items()} == dict(DECISIONS)


def test_the_work_list_names_the_very_columns_of_the_workbook(page: str) -> None:
    shown = "Kết quả", "Kết quả (người thứ hai)", "Những người khác cùng dòng"
    assert [_labelled()[name] for name in ("decision", "decision_2", "others")] == list(shown)
    work = page[page.index('<ol class="todo">') :]
    assert all(f"“{name}”" in work for name in shown)


def test_who_has_no_confirmation_service_is_told_what_to_do_instead(page: str) -> None:
    assert "VNeID" not in page
    assert "nơi chưa có dịch vụ xác nhận thì xử lý như" in page
    assert "where there is no confirmation service, treat them as" in page


def test_sex_is_put_in_words_of_each_language(page: str) -> None:
    facts = re.findall(r"Giới tính</span>.*?</dt><dd>(.*?)</dd>", page)
    assert facts
    assert set(re.findall(r'lang="vi">(.*?)<', "".join(facts))) <= {"Nam", "Nữ"}
    assert "<dd>M</dd>" not in page
    assert "<dd>F</dd>" not in page


def test_an_empty_run_is_no_crash(run: Path, tmp_path: Path) -> None:
    for name in ("links", "persons", "candidates", "rejected"):
        pl.read_parquet(run / f"{name}.parquet").clear().write_parquet(tmp_path / f"{name}.parquet")
    assert "Không có dòng nào bị trả lại" in write_report(tmp_path).read_text(encoding="utf-8")


def test_a_generic_run_of_two_tables_is_reported_too(tmp_path: Path) -> None:
    pl.DataFrame(
        {"unique_id_l": ["a", "b"], "unique_id_r": ["c", "d"], "match_weight": [3.0, -2.0],
         "match_probability": [0.9, 0.2], "decision": ["link", "no_match"]}
    ).write_parquet(tmp_path / "links.parquet")  # fmt: skip
    assert 'id="weights-' in write_report(tmp_path).read_text(encoding="utf-8")


def test_text_of_a_run_cannot_become_markup(run: Path, tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    links = pl.read_parquet(run / "links.parquet").with_columns(reason=pl.lit(evil), decision=pl.lit(evil))
    links.write_parquet(tmp_path / "links.parquet")
    (tmp_path / "run.json").write_text(json.dumps({"blocking": [{"rule": evil}], "versions": {evil: evil}}))
    assert "<script" not in write_report(tmp_path).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("links.parquet", None),
        ("links.parquet", b"PAR1"),
        ("run.json", b"{"),
        ("persons.parquet", b"x"),
        ("evaluation.json", b"{}"),
    ],
    ids=["no links", "cut-off links", "half a manifest", "not a table", "another evaluation"],
)
def test_an_unreadable_part_stops_the_report_and_is_named(
    run: Path, tmp_path: Path, file: str, content: bytes | None
) -> None:
    pl.read_parquet(run / "links.parquet").write_parquet(tmp_path / "links.parquet")
    (tmp_path / file).unlink(missing_ok=True)
    if content is not None:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(UnreadableFileError, match=re.escape(file)):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()
