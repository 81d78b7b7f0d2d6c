"""Charts: text stays text, two pictures never share an id, every decision can be read on its colour."""

from __future__ import annotations

import re

import pytest

from linkage.report import charts
from linkage.report.curve import Calibration, CurvePoint, OperatingPoint, ReliabilityBin
from linkage.report.intervals import wilson_rate
from linkage.report.waterfall import Step


def ids_of(svg: str) -> set[str]:
    return set(re.findall(r'\bid="([^"]+)"', svg))


def test_text_stays_text_with_vietnamese_letters() -> None:
    svg = charts.histogram("a", "Số dòng", {"một": 1}, x="số người đồng sử dụng", y="lượt")
    assert "số người đồng sử dụng</text>" in svg
    assert "<title>Số dòng</title>" in svg


def test_two_charts_share_no_id_and_refer_to_their_own() -> None:
    first, second = (charts.histogram(name, "t", {"1": 3}, x="x", y="y") for name in ("a", "b"))
    assert not ids_of(first) & ids_of(second)
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', first)) <= {(each, "") for each in ids_of(first)} | {
        ("", each) for each in ids_of(first)
    }


def test_equal_data_give_equal_bytes() -> None:
    steps = [Step("prior", "", -9.0), Step("name", "same", 12.0)]
    assert charts.waterfall("w", "t", steps, {}) == charts.waterfall("w", "t", steps, {})


@pytest.mark.parametrize("label", ["a < b & c", "costs $5 or $6", "tên_họ ^2", "x" * 90, ""])
def test_any_label_of_a_model_can_be_drawn(label: str) -> None:
    svg = charts.waterfall("w", label, [Step("name", label, 1.0)], {})
    assert svg.endswith("</svg>\n")
    assert "a < b" not in svg


def test_a_waterfall_without_steps_and_a_curve_without_points_are_drawn() -> None:
    assert "<svg" in charts.waterfall("w", "t", [], {})
    assert "<svg" in charts.threshold_curve("c", "t", [], [])
    assert "<svg" in charts.reliability("r", "t", Calibration([], None, None, 0))


def test_a_threshold_that_no_candidate_reaches_is_not_marked() -> None:
    curve = [CurvePoint(0.9, 3.0, 10, 9, 0.9, 0.5), CurvePoint(0.5, 0.0, 20, 15, 0.75, 0.8)]
    reached = OperatingPoint(0.9, 0.9, 3.0, 10, 9, 0.9, 0.5, 0.5)
    absent = OperatingPoint(0.999, None, None, 0, 0, None, None, None)
    svg = charts.threshold_curve("c", "t", curve, [reached, absent])
    assert "90.00%" in svg
    assert "99.90%" not in svg


def test_a_reliability_diagram_shows_every_bin() -> None:
    bins = [ReliabilityBin(0.9, 0.95, 0.93, wilson_rate(9, 10)), ReliabilityBin(0.0, 0.01, 0.0, wilson_rate(0, 5))]
    assert "<svg" in charts.reliability("r", "t", Calibration(bins, 0.01, 0.02, 15))


@pytest.mark.parametrize("decision", list(charts.DECISION_COLOURS))
def test_white_text_can_be_read_on_the_colour_of_each_decision(decision: str) -> None:
    colour = charts.DECISION_COLOURS[decision]
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5
