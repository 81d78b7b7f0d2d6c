"""Charts as inline SVG: text stays text, ids are unique in the page, equal data give equal bytes.

Rules
- One door to matplotlib; no global state (figures are made without pyplot).
- Every chart is a function of plain numbers and returns one `<svg>` element with a title for screen readers.
- Labels carry both languages, for a picture cannot be switched: Vietnamese first, then English.
- Colours come from `DECISION_COLOURS` and `INK`; no chart needs colour alone to be understood.

>>> histogram("demo", "Lines per person", {"1": 4, "2": 1}, x="lines", y="persons")[:4]
'<svg'
"""

from __future__ import annotations

import html
import io
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from linkage.report.curve import Calibration, CurvePoint, OperatingPoint
    from linkage.report.waterfall import Step

DECISION_COLOURS = {
    "link": "#2c6e56",
    "ask": "#3f74b5",
    "review": "#a3660f",
    "no_match": "#8a5563",
    "not_a_person": "#6f7782",
}
INK, SOFT, GRID, UP, DOWN, TOTAL = "#22272e", "#5d6672", "#e4e7eb", "#2c6e56", "#a4493d", "#34495e"
LABEL_GAP = 0.08
"""Recall between two labelled points of the threshold curve."""
PRECISION_DEPTH = 0.04
FONT_STACK = "'Segoe UI', 'Noto Sans', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif"
_STYLE: Any = {
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "quychu",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": SOFT,
    "axes.linewidth": 0.8,
    "axes.labelcolor": SOFT,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "legend.frameon": False,
}


def weight_histogram(
    name: str,
    title: str,
    weights: Mapping[str, Sequence[int]],
    edges: Sequence[float],
) -> str:
    """Stack the match weights (bits) by decision; the page gives the key of colours."""
    figure, axes = _figure(8.6, 3.1)
    bottom = [0] * (len(edges) - 1)
    for decision, counts in weights.items():
        colour = DECISION_COLOURS.get(decision, SOFT)
        widths = [high - low for low, high in pairwise(edges)]
        axes.bar(edges[:-1], counts, widths, bottom, align="edge", color=colour, linewidth=0)
        bottom = [low + count for low, count in zip(bottom, counts, strict=True)]
    axes.set_xlabel("trọng số khớp (bit) · match weight (bits)")
    axes.set_ylabel("số người · named persons")
    axes.set_ylim(0, 1.06 * max([*bottom, 1]))
    axes.grid(axis="x", visible=False)
    return _svg(figure, name, title)


def histogram(name: str, title: str, counts: Mapping[str, int], *, x: str, y: str) -> str:
    """Draw labelled bars with their counts above."""
    figure, axes = _figure(8.6, 2.7)
    bars = axes.bar(list(counts), list(counts.values()), color=TOTAL, width=0.68)
    axes.bar_label(bars, [f"{count:,}".replace(",", "\u2009") for count in counts.values()], padding=2, fontsize=9.5)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(axis="x", visible=False)
    axes.margins(y=0.14)
    return _svg(figure, name, title)


def waterfall(name: str, title: str, steps: Sequence[Step], names: Mapping[str, str]) -> str:
    """Draw each step from where the last one ended; the total at the foot."""
    figure, axes = _figure(7.0, 0.75 + 0.34 * (len(steps) + 1))
    at, reach = 0.0, [0.0]
    for row, step in enumerate(steps):
        colour = SOFT if step.name == "prior" else (UP if step.bits >= 0 else DOWN)
        axes.barh(row, step.bits, left=at, height=0.62, color=colour)
        axes.plot([at + step.bits] * 2, [row + 0.31, row + 0.69], color=SOFT, linewidth=0.7)
        at += step.bits
        reach.append(at)
        _bits_label(axes, row, max(at, at - step.bits), step.bits)
    axes.barh(len(steps), at, height=0.62, color=TOTAL)
    _bits_label(axes, len(steps), max(at, 0.0), at, weight="bold")
    labels = [_step_label(step, names) for step in steps]
    axes.set_yticks(range(len(steps) + 1), [*labels, "tổng · total"])
    axes.invert_yaxis()
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.grid(axis="y", visible=False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    spread = max(reach) - min(reach) or 1.0
    axes.set_xlim(min(reach) - 0.03 * spread, max(reach) + 0.12 * spread)
    axes.set_xlabel("bit · bits")
    return _svg(figure, name, title)


def threshold_curve(name: str, title: str, curve: Sequence[CurvePoint], points: Sequence[OperatingPoint]) -> str:
    """Draw precision against recall, with the best threshold of each wanted precision marked."""
    figure, axes = _figure(5.2, 3.6)
    axes.plot([p.recall for p in curve], [p.precision for p in curve], color=UP, linewidth=1.8)
    marked = [(p.recall, p.precision, p.wanted_precision) for p in points if p.recall and p.precision]
    labelled = float("inf")
    for recall, precision, wanted in sorted(marked, reverse=True):
        axes.plot([recall], [precision], "o", color=TOTAL, markersize=4.5)
        if labelled - recall < LABEL_GAP:
            continue
        labelled = recall
        axes.annotate(
            f"≥ {wanted:.2%}", (recall, precision), (-7, -11), fontsize=8.5, textcoords="offset points", ha="right",
            color=SOFT,
        )  # fmt: skip
    axes.set_ylim(*_precision_range([p.precision for p in curve]))
    axes.set_xlabel("độ phủ · recall")
    axes.set_ylabel("độ chính xác · precision")
    return _svg(figure, name, title)


def _precision_range(precisions: Sequence[float]) -> tuple[float, float]:
    """Look closely at the end that matters: from the best precision down by at most `PRECISION_DEPTH`."""
    best, worst = max(precisions, default=1.0), min(precisions, default=0.0)
    low = max(worst, best - PRECISION_DEPTH)
    return low - 0.05 * (1.0 - low) - 0.0005, min(1.0, best) + 0.03 * (1.0 - low) + 0.0005


def reliability(name: str, title: str, calibration: Calibration) -> str:
    """Draw the observed share against the promised one, with Wilson intervals."""
    figure, axes = _figure(4.2, 3.6)
    axes.plot([0, 1], [0, 1], color=SOFT, linewidth=0.9, linestyle=(0, (4, 3)))
    for each in calibration.bins:
        low, high = each.observed.low or 0.0, each.observed.high or 1.0
        axes.plot([each.mean_predicted] * 2, [low, high], color=TOTAL, linewidth=1.3, alpha=0.55)
    predicted = [each.mean_predicted for each in calibration.bins]
    axes.plot(predicted, [each.observed.value or 0.0 for each in calibration.bins], "o", color=TOTAL, markersize=4.5)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlabel("xác suất dự báo · predicted")
    axes.set_ylabel("tỷ lệ đúng · observed")
    return _svg(figure, name, title)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        return figure, figure.add_subplot()


def _bits_label(axes: Axes, row: int, at: float, bits: float, weight: str = "normal") -> None:
    axes.annotate(
        _signed(bits), (at, row), (4, 0), textcoords="offset points", va="center",
        fontsize=9, color=INK, fontweight=weight,
    )  # fmt: skip


def _signed(bits: float) -> str:
    """Write bits with their sign; nothing is 0, not +0.0.

    >>> _signed(1.26), _signed(-0.04), _signed(-3)
    ('+1.3', '0', '\u22123.0')
    """
    return "0" if abs(bits) < 0.05 else f"{bits:+.1f}".replace("-", "\u2212")


def _step_label(step: Step, names: Mapping[str, str]) -> str:
    shown = names.get(step.name, step.name)
    label = step.label if len(step.label) <= 34 else f"{step.label[:33]}…"
    return f"{shown}: {label}" if label else shown


def _svg(figure: Figure, name: str, title: str) -> str:
    buffer = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    return _labelled(_own_ids(text[text.index("<svg") :], name), title)


def _own_ids(svg: str, name: str) -> str:
    """Ids of one chart must not meet those of another in the same page."""
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", svg)


def _labelled(svg: str, title: str) -> str:
    safe = html.escape(title)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, count=1, flags=re.DOTALL)
    svg = re.sub(r"font-family: [^;\"]*", f"font-family: {FONT_STACK}", svg)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    return re.sub(r"(<svg[^>]*>)", rf"\1<title>{safe}</title>", svg, count=1).replace(
        "<svg ", f'<svg role="img" aria-label="{safe}" ', 1
    )
