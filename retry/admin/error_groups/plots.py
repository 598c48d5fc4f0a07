"""How often the errors of a group happened, as pictures."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext, gettext_lazy, ngettext

from entries.admin import display
from retry.admin.shared.actor import get_actor
from retry.admin.shared.plots import PlotBar, draw_bars, draw_sparkline
from retry.models import ErrorGroup
from retry.outcome_history.scope import find_scope
from retry.outcome_history.series import Period, read_failures_alike

_SHORT = {
    Period.DAY: gettext_lazy("24h"),
    Period.WEEK: gettext_lazy("7d"),
    Period.MONTH: gettext_lazy("30d"),
}
#: The parameter of the page that chooses the period.
SPAN = "span"


def draw_day(values: Sequence[int] | None) -> SafeString | str:
    """Draw the failures of the last 24 hours; a dash where the user may see no counts."""
    if values is None:
        return display.NOTHING
    return draw_sparkline(values, label=_describe_number(sum(values), "24h"))


def build_plot_context(request: HttpRequest, group: ErrorGroup) -> dict[str, Any]:
    """Return the plot of the period that the address chooses; None where no counts may be seen."""
    period = Period.parse(request.GET.get(SPAN, Period.WEEK.code))
    scope = find_scope(get_actor(request))
    if scope.is_empty:
        return {"plot": None}
    now, alike = timezone.now(), [group.fingerprint]
    values = read_failures_alike(alike, period, scope=scope, now=now)[group.fingerprint]
    begin = period.begin(now)
    bars = [
        PlotBar([("failed", value)], _describe_bucket(begin + number * period.width, value))
        for number, value in enumerate(values)
    ]
    label = _describe_number(sum(values), period.code)
    return {
        "plot": draw_bars(bars, label=label, name="bucket") if any(values) else "",
        "plot_words": label,
        "periods": [(each.code, _SHORT[each], each is period) for each in Period],
    }


def _describe_bucket(begin: datetime, failed: int) -> str:
    time = date_format(localtime(begin), "Y-m-d H:i")
    return gettext("%(time)s: %(count)s") % {"time": time, "count": intcomma(failed)}


def _describe_number(number: int, period: str) -> str:
    match period:
        case "24h":
            text = ngettext(
                "%(count)s failed attempt in the last 24 hours",
                "%(count)s failed attempts in the last 24 hours",
                number,
            )
        case "7d":
            text = ngettext(
                "%(count)s failed attempt in the last 7 days",
                "%(count)s failed attempts in the last 7 days",
                number,
            )
        case _:
            text = ngettext(
                "%(count)s failed attempt in the last 30 days",
                "%(count)s failed attempts in the last 30 days",
                number,
            )
    return text % {"count": intcomma(number)}
