"""Plots as SVG, drawn with attributes and classes alone: the content policy forbids inline styles.

``svg`` escapes nothing, so every text is escaped here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import svg
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

#: A bar of anything is at least so high, in the units of the picture.
_LEAST = 1.5
_BARS_HEIGHT = 100
_BAR_WIDTH = 10
_BAR_GAP = 2
SPARK_WIDTH, SPARK_HEIGHT = 60, 16


@dataclass(frozen=True, slots=True)
class PlotBar:
    """Parts of one bar from the bottom, as class and number, and where a click on it leads.

    ``words`` says the same as text: when, and how many of each.
    """

    parts: Sequence[tuple[str, int]]
    words: str
    url: str = ""

    @property
    def total(self) -> int:
        return sum(count for _, count in self.parts)


def draw_bars(bars: Sequence[PlotBar], *, label: str, name: str) -> SafeString:
    """Draw bars side by side, as wide as the page; ``name`` begins the ids of their links.

    A bar with an address is a link of its whole height. Its parts have the classes
    ``plot-<part>``, its words are its name and its tooltip.
    """
    most = max((bar.total for bar in bars), default=0)
    step = _BAR_WIDTH + _BAR_GAP
    elements = [
        _draw_bar(bar, x=number * step, most=most, id_=f"{name}-{number}")
        for number, bar in enumerate(bars)
    ]
    drawing = svg.SVG(
        class_=["plot"],
        viewBox=svg.ViewBoxSpec(0, 0, max(len(bars) * step - _BAR_GAP, 1), _BARS_HEIGHT),
        preserveAspectRatio=svg.PreserveAspectRatio("none"),
        elements=elements,
        extra={"role": "group", "aria-label": escape(label)},
    )
    return mark_safe(drawing.as_str())  # noqa: S308 - escaped above


def _draw_bar(bar: PlotBar, *, x: int, most: int, id_: str) -> svg.Element:
    drawn: list[svg.Element] = [
        svg.Title(text=escape(bar.words)),
        # All of its height can be clicked, also where nothing ended.
        svg.Rect(class_=["plot-room"], x=x, y=0, width=_BAR_WIDTH, height=_BARS_HEIGHT),
    ]
    bottom = float(_BARS_HEIGHT)
    for part, height in _scale(bar.parts, most=most).items():
        bottom -= height
        drawn.append(
            svg.Rect(
                class_=[f"plot-{part}"],
                x=x,
                y=round(bottom, 2),
                width=_BAR_WIDTH,
                height=round(height, 2),
            )
        )
    named: dict[str, str] = {"aria-label": escape(bar.words)}
    if not bar.url:
        return svg.G(elements=drawn, extra=named | {"role": "img"})
    return svg.A(id=id_, href=escape(bar.url), elements=drawn, extra=named)


def _scale(parts: Sequence[tuple[str, int]], *, most: int) -> Mapping[str, float]:
    """Return the heights of the parts that are not empty; one of a million can be seen as well."""
    heights = {part: max(count / most * _BARS_HEIGHT, _LEAST) for part, count in parts if count}
    excess = sum(heights.values()) - _BARS_HEIGHT
    if excess > 0:
        largest = max(heights, key=lambda part: heights[part])
        heights[largest] -= excess
    return heights


def draw_sparkline(values: Sequence[int], *, label: str) -> SafeString:
    """Draw numbers over time as bars of 60 x 16, scaled to the largest; ``label`` says the same."""
    most = max(values, default=0)
    width = SPARK_WIDTH / max(len(values), 1)
    bars: list[svg.Element] = []
    for number, value in enumerate(values):
        if value:
            height = max(value / most * SPARK_HEIGHT, _LEAST)
            bars.append(
                svg.Rect(
                    x=round(number * width, 2),
                    y=round(SPARK_HEIGHT - height, 2),
                    width=round(max(width - 0.5, 0.5), 2),
                    height=round(height, 2),
                )
            )
    drawing = svg.SVG(
        class_=["sparkline"],
        viewBox=svg.ViewBoxSpec(0, 0, SPARK_WIDTH, SPARK_HEIGHT),
        width=SPARK_WIDTH,
        height=SPARK_HEIGHT,
        elements=[svg.Title(text=escape(label)), *bars],
        extra={"role": "img", "aria-label": escape(label)},
    )
    return mark_safe(drawing.as_str())  # noqa: S308 - escaped above
