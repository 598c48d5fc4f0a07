"""Plots: what a screen reader reads, what a click does, and nothing that the policy refuses."""

from xml.etree import ElementTree as ET

from retry.admin.shared.plots import PlotBar, draw_bars, draw_sparkline

EVIL = '"><script>alert(1)</script>&'
_SVG = "{http://www.w3.org/2000/svg}"


def parse(drawing: str) -> ET.Element:
    assert "style" not in drawing
    assert "<script" not in drawing
    return ET.fromstring(drawing)  # noqa: S314 - our own


def heights(drawing: ET.Element, part: str) -> list[float]:
    rects = drawing.iter(f"{_SVG}rect")
    return [float(rect.get("height", 0)) for rect in rects if rect.get("class") == part]


def test_each_bar_is_a_link_with_words_and_parts_to_scale() -> None:
    bars = [
        PlotBar((("succeeded", 30), ("failed", 10)), words="21:00", url="/list?a=1&b=2"),
        PlotBar((("succeeded", 0), ("failed", 20)), words="22:00", url="/list"),
    ]
    drawing = parse(draw_bars(bars, label="Outcomes", name="bucket"))
    first, second = drawing.iter(f"{_SVG}a")
    assert (first.get("id"), second.get("id")) == ("bucket-0", "bucket-1")
    assert (first.get("href"), first.get("aria-label")) == ("/list?a=1&b=2", "21:00")
    assert [title.text for title in drawing.iter(f"{_SVG}title")] == ["21:00", "22:00"]
    assert heights(drawing, "plot-succeeded") == [75.0]
    assert heights(drawing, "plot-failed") == [25.0, 50.0]
    assert (drawing.get("role"), drawing.get("aria-label")) == ("group", "Outcomes")


def test_one_of_a_million_is_visible() -> None:
    bars = [PlotBar((("succeeded", 1_000_000), ("failed", 1)), words="now")]
    drawing = parse(draw_bars(bars, label="", name="b"))
    assert heights(drawing, "plot-failed")[0] > 1
    assert sum(heights(drawing, "plot-failed") + heights(drawing, "plot-succeeded")) == 100
    assert not list(drawing.iter(f"{_SVG}a")), "without an address it is no link"


def test_text_from_outside_stays_text() -> None:
    bars = [PlotBar((("failed", 1),), words=EVIL, url=f"/?q={EVIL}")]
    drawing = parse(draw_bars(bars, label=EVIL, name="b"))
    (link,) = drawing.iter(f"{_SVG}a")
    assert (link.get("aria-label"), link.get("href")) == (EVIL, f"/?q={EVIL}")
    assert parse(draw_sparkline([1], label=EVIL)).get("aria-label") == EVIL


def test_nothing_can_be_drawn() -> None:
    for drawing in (draw_bars([], label="none", name="b"), draw_sparkline([], label="none")):
        assert not list(parse(drawing).iter(f"{_SVG}rect"))
    assert parse(draw_sparkline([0, 0], label="none")).get("viewBox") == "0 0 60 16"


def test_a_sparkline_is_scaled_to_its_largest() -> None:
    drawing = parse(draw_sparkline([0, 4, 8], label="12 failures"))
    rects = list(drawing.iter(f"{_SVG}rect"))
    assert [float(rect.get("height", 0)) for rect in rects] == [8.0, 16.0]
    assert (drawing.get("width"), drawing.get("height"), drawing.get("role")) == ("60", "16", "img")
