"""The charts, as SVG: cost per entry against size, and rates side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 48, 52
_STYLE = """
  .back { fill: #ffffff } .ink { fill: #1f2328 } .dim { fill: #59636e }
  .grid { stroke: #d1d9e0; stroke-width: 1 } .line { stroke: #0969da } .dot { fill: #0969da }
  .line { stroke-width: 2; fill: none } text { font: 13px system-ui, sans-serif }
  .bar { fill: #8c959f } .ours { fill: #0969da } .title { font-size: 15px; font-weight: 600 }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117 } .ink { fill: #f0f6fc } .dim { fill: #9198a1 }
    .bar { fill: #6e7681 } .ours { fill: #4493f8 }
    .grid { stroke: #3d444d } .line { stroke: #4493f8 } .dot { fill: #4493f8 }
  }
"""


def draw(points: Sequence[tuple[int, float]]) -> str:
    """Draw ``points`` of entries and microseconds per entry, entries on a logarithmic axis."""
    top = _round_up(max(cost for _, cost in points))
    spots = [(_x(size, points), _y(cost, top)) for size, cost in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{_describe(points)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>',
        _text(_LEFT, 26, "Queueing: microseconds for one entry", cls="ink title", anchor="start"),
        *(_rule(top * step / 4, top) for step in range(5)),
        f'<polyline class="line" points="{path}"/>',
    ]
    for (size, cost), (x, y) in zip(points, spots, strict=True):
        parts.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4"/>')
        parts.append(_text(x, y - 12, f"{cost:.0f}", cls="ink"))
        parts.append(_text(x, _HEIGHT - _BOTTOM + 22, f"{size:,}", cls="dim"))
    parts.append(_text(_WIDTH / 2, _HEIGHT - 10, "entries in the operation", cls="dim"))
    return "\n".join([*parts, "</svg>", ""])


def _describe(points: Sequence[tuple[int, float]]) -> str:
    values = ", ".join(f"{cost:.0f} at {size:,} entries" for size, cost in points)
    return f"Microseconds for one entry: {values}"


def _x(size: int, points: Sequence[tuple[int, float]]) -> float:
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])
    share = (math.log10(size) - first) / max(last - first, 1e-9)
    inset = 36
    return _LEFT + inset + share * (_WIDTH - _LEFT - _RIGHT - 2 * inset)


def _y(cost: float, top: float) -> float:
    return _HEIGHT - _BOTTOM - cost / top * (_HEIGHT - _TOP - _BOTTOM)


def _round_up(value: float) -> float:
    """Round up to a number that divides well by four."""
    scale = 10.0 ** math.floor(math.log10(value))
    return next(step * scale for step in (1, 2, 4, 6, 8, 10, 12) if step * scale > value * 1.1)


def _rule(cost: float, top: float) -> str:
    y = _y(cost, top)
    label = _text(_LEFT - 10, y + 4, f"{cost:g}", cls="dim", anchor="end")
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>{label}'
    )


def _text(x: float, y: float, words: str, *, cls: str, anchor: str = "middle") -> str:
    return f'<text class="{cls}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{words}</text>'


@dataclass(frozen=True, slots=True)
class Bar:
    """A rate; ``ours``: of Redrive itself."""

    name: str
    rate: float
    ours: bool


def draw_bars(title: str, bars: Sequence[Bar]) -> str:
    """Draw a horizontal bar for each rate, below one another and named."""
    left, right, step = 250, 76, 34
    height = _TOP + step * len(bars) + 16
    scale = (_WIDTH - left - right) / max(bar.rate for bar in bars)
    words = ", ".join(f"{bar.name} {bar.rate:,.0f}" for bar in bars)
    box = f'viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(f"{title}: {words}")}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{_WIDTH}" height="{height}" rx="8"/>',
        _text(20, 26, escape(title), cls="ink title", anchor="start"),
    ]
    for number, bar in enumerate(bars):
        y, width = _TOP + step * number, max(bar.rate * scale, 1.0)
        parts += [
            _text(left - 10, y + 16, escape(bar.name), cls="ink", anchor="end"),
            _bar(left, y, width, cls="bar ours" if bar.ours else "bar"),
            _text(left + width + 8, y + 16, f"{bar.rate:,.0f}", cls="dim", anchor="start"),
        ]
    return "\n".join([*parts, "</svg>", ""])


def _bar(x: float, y: float, width: float, *, cls: str) -> str:
    return f'<rect class="{cls}" x="{x}" y="{y}" width="{width:.1f}" height="22" rx="3"/>'


def draw_pace(asked: float, seen: Sequence[float]) -> str:
    """Draw a bar for what started in each second, and a line at the pace that was asked for."""
    top = _round_up(max(asked, *seen))
    step = (_WIDTH - _LEFT - _RIGHT) / len(seen)
    line = _y(asked, top)
    words = f"Asked for {asked:g} entries a second; seen, second by second: " + ", ".join(
        f"{value:g}" for value in seen
    )
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(words)}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f"<style>{_STYLE}</style>",
        f'<rect class="back" width="{_WIDTH}" height="{_HEIGHT}" rx="8"/>',
        _text(20, 26, "Entries started in each second", cls="ink title", anchor="start"),
        *(_rule(top * part / 4, top) for part in range(5)),
    ]
    for second, value in enumerate(seen):
        y = _y(value, top)
        height = _HEIGHT - _BOTTOM - y
        parts.append(
            f'<rect class="bar" x="{_LEFT + second * step + 1:.1f}" y="{y:.1f}" '
            f'width="{step - 2:.1f}" height="{height:.1f}"/>'
        )
        if second % 10 == 0:
            middle = _LEFT + (second + 0.5) * step
            parts.append(_text(middle, _HEIGHT - _BOTTOM + 22, f"{second}", cls="dim"))
    parts += [
        f'<line class="line" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{line:.1f}" y2="{line:.1f}"/>',
        _text(_WIDTH - _RIGHT, line - 8, f"asked: {asked:g}", cls="ink", anchor="end"),
        _text(_WIDTH / 2, _HEIGHT - 10, "seconds since the start of the operation", cls="dim"),
    ]
    return "\n".join([*parts, "</svg>", ""])
