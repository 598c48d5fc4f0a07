"""The picture of an operation over time: succeeded, failed and remaining entries, stacked."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any, cast

import svg
from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from entries.admin.live import LiveFragment
from retry.access.visibility import find_sources
from retry.admin.operations.address import get_part_url
from retry.admin.shared.actor import get_actor
from retry.models import Operation
from retry.operations.timeline import Point, read_timeline

_WIDTH, _HEIGHT = 600, 120
#: It is a sum over all runs, and several may look.
_CACHE_SECONDS = 5
_POLL_SECONDS = 10
#: From the bottom.
_PARTS = ("succeeded", "failed", "other", "remaining")


def build_timeline_context(request: HttpRequest, operation: Operation) -> dict[str, Any]:
    """Return the drawing, empty where nothing has begun, and when to look again."""
    drawing = SafeString("")
    if operation.started_at is not None:
        actor = get_actor(request)
        seen = find_sources(actor).key
        key = f"redrive.timeline.{operation.pk}.{operation.ended_at is None}.{seen}"
        points = cast(
            "Sequence[Point]",
            cache.get_or_set(
                key, lambda: read_timeline(operation, actor=actor), timeout=_CACHE_SECONDS
            ),
        )
        drawing = draw_timeline(points, total=operation.total)
    return {
        "timeline": drawing,
        "timeline_live": LiveFragment(
            url=get_part_url(request, operation, "timeline"),
            version=sha256(drawing.encode()).hexdigest()[:16],
            active=operation.ended_at is None,
            seconds=_POLL_SECONDS,
        ),
    }


def draw_timeline(points: Sequence[Point], *, total: int) -> SafeString:
    """Draw the parts above each other over the time; empty without a time or without entries.

    Attributes and classes alone: the content policy forbids inline styles.
    """
    if len(points) < 2 or not total:
        return SafeString("")
    words = _describe(points[-1])
    across = [round(_WIDTH * point.seconds / points[-1].seconds, 2) for point in points]
    below = [0.0] * len(points)
    areas: list[svg.Element] = [svg.Title(text=escape(words))]
    for part in _PARTS:
        above = [b + getattr(point, part) for b, point in zip(below, points, strict=True)]
        if above != below:
            edge = [*zip(across, above, strict=True), *reversed([*zip(across, below, strict=True)])]
            corners = [svg.Point(x, _to_height(entries, total)) for x, entries in edge]
            areas.append(svg.Polygon(class_=[f"area-{part}"], points=corners))
        below = above
    drawing = svg.SVG(
        class_=["timeline"],
        viewBox=svg.ViewBoxSpec(0, 0, _WIDTH, _HEIGHT),
        preserveAspectRatio=svg.PreserveAspectRatio("none"),
        elements=areas,
        extra={"role": "img", "aria-label": escape(words)},
    )
    return mark_safe(drawing.as_str())  # noqa: S308 - escaped above


def _to_height(entries: float, total: int) -> float:
    return round(_HEIGHT * (1 - entries / total), 2)


def _describe(last: Point) -> str:
    return _("%(succeeded)s succeeded, %(failed)s failed, %(remaining)s remaining") % {
        "succeeded": intcomma(last.succeeded),
        "failed": intcomma(last.failed),
        "remaining": intcomma(last.remaining),
    }
