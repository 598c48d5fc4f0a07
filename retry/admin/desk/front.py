"""The front page: what breaks, what goes on, and the button for it. It keeps itself up to date."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from django.contrib.humanize.templatetags.humanize import intcomma
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from entries.admin.live import LiveFragment, respond
from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry.access.permissions import (
    MANAGE_HOLD,
    OPERATE,
    VIEW_AUDIT,
    VIEW_ERROR_GROUP,
    VIEW_HOLD,
    VIEW_OPERATION,
    VIEW_STATUS,
    VIEW_SYNC,
)
from retry.access.records import visible_holds
from retry.access.visibility import find_sources, sees_everything, sees_nothing
from retry.admin.desk import activity
from retry.admin.desk.alarms import read_engine
from retry.admin.desk.breaks import FailureGroup, find_groups
from retry.admin.desk.parts import HIDDEN, Part, read_part
from retry.admin.desk.sentence import find_headline, get_list_url, is_on_hold
from retry.admin.desk.standstill import find_standstill
from retry.admin.desk.status import list_tiles
from retry.admin.error_groups.address import get_alike_url
from retry.admin.operations.address import get_preview_url
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.admin.shared.plots import PlotBar, draw_bars
from retry.operations.selection import Selection
from retry.outcome_history.scope import Scope, find_scope
from retry.outcome_history.series import Bucket, Period, read_series
from retry.outcomes import Actor

T = TypeVar("T")

#: Between two polls.
POLL_SECONDS = 3
_SCOPE_SECONDS = 10
#: The sentence and the groups read more than the rest.
_SUMMARY_SECONDS = 5
#: A plot of weeks changes slowly.
_PLOT_SECONDS = {Period.DAY: 2, Period.WEEK: 10, Period.MONTH: 30}
_PERIOD_NAMES = {
    Period.DAY: gettext_lazy("24 hours"),
    Period.WEEK: gettext_lazy("7 days"),
    Period.MONTH: gettext_lazy("30 days"),
}
_PLOT_NAMES = {
    Period.DAY: gettext_lazy("Succeeded and failed attempts, last 24 hours"),
    Period.WEEK: gettext_lazy("Succeeded and failed attempts, last 7 days"),
    Period.MONTH: gettext_lazy("Succeeded and failed attempts, last 30 days"),
}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page, and at which period; ``key`` is that of all who see the same."""

    request: HttpRequest
    actor: Actor
    scope: Scope
    key: str
    #: What the parts that are not about entries are about.
    sources: Scope
    period: Period
    now: datetime

    @classmethod
    def from_request(cls, request: HttpRequest) -> "Viewer":
        actor = get_actor(request)
        key = "all" if sees_everything(actor) else f"user-{actor.user_id}"
        sources = find_sources(actor)
        scope = cache.get_or_set(f"redrive.scope.{key}", lambda: find_scope(actor), _SCOPE_SECONDS)
        period = Period.parse(request.GET.get("period", ""))
        return cls(request, actor, cast("Scope", scope), key, sources, period, timezone.now())

    def may(self, permission: str) -> bool:
        return self.request.user.has_perm(permission)

    def read(self, name: str, read: Callable[[], T], *, seconds: int = 2) -> Part[T]:
        return read_part(read, name=name, key=self.key, seconds=seconds)

    def read_if(self, permission: str, name: str, read: Callable[[], T]) -> Part[T]:
        """Read a part that is the same for all who have the permission and see all sources."""
        if not self.may(permission):
            return HIDDEN
        key = "all" if self.sources.everything else f"user-{self.actor.user_id}"
        return read_part(read, name=name, key=key)


@require_safe
def show_live(request: HttpRequest) -> HttpResponse:
    """Answer a poll with the part of the page that changes."""
    context = build_context(request)
    return respond(request, context["live"], "retry/desk/live.html", context)


def build_context(request: HttpRequest) -> dict[str, Any]:
    """Return all that the page shows; each part as far as the user may see it."""
    viewer = Viewer.from_request(request)
    actor = viewer.actor
    url = f"{reverse('admin:retry_desk')}?{urlencode({'period': viewer.period.code})}"
    return {
        # No version: it shows times, which always change.
        "live": LiveFragment(url, version="", active=True, seconds=POLL_SECONDS),
        **_read_entries(viewer),
        "under_way": viewer.read_if(
            VIEW_OPERATION, "under_way", lambda: activity.list_under_way(actor)
        ),
        "sources": viewer.read_if(VIEW_SYNC, "sources", lambda: activity.list_sources(actor)),
        "events": viewer.read_if(VIEW_AUDIT, "events", lambda: activity.list_events(actor)),
        "engine": read_engine() if viewer.may(VIEW_STATUS) else None,
        "holds": _count_holds(actor) if viewer.may(VIEW_HOLD) else None,
    }


def _read_entries(viewer: Viewer) -> dict[str, Any]:
    """Read what is for those who may see entries."""
    if sees_nothing(viewer.actor):
        return {"tiles": [], "may_see_entries": False}
    day = _read_series(viewer, Period.DAY)
    shown = day if viewer.period is Period.DAY else _read_series(viewer, viewer.period)
    headline = viewer.read(
        "headline",
        lambda: find_headline(
            viewer.actor, scope=viewer.scope, day=day.value or (), now=viewer.now
        ),
        seconds=_SUMMARY_SECONDS,
    )
    groups = viewer.read(
        "groups",
        lambda: find_groups(viewer.actor, scope=viewer.scope, now=viewer.now),
        seconds=_SUMMARY_SECONDS,
    )
    return {
        "may_see_entries": True,
        "sees_counts": not viewer.scope.is_empty,
        "tiles": list_tiles(viewer.request),
        "headline": headline,
        "standstill": viewer.read("standstill", lambda: find_standstill(scope=viewer.scope)).value,
        "is_on_hold": headline.value is not None and is_on_hold(headline.value),
        # The button holds an upstream, whatever the source.
        "may_hold": viewer.sources.everything and viewer.may(MANAGE_HOLD) and viewer.may(VIEW_HOLD),
        "groups": groups,
        "group_rows": [_build_row(viewer, group) for group in groups.value or ()],
        "series": shown,
        "buckets": shown.value or (),
        "plot": _draw(shown.value or (), viewer.period),
        "periods": [
            (period.code, _PERIOD_NAMES[period], period is viewer.period) for period in Period
        ],
    }


def _read_series(viewer: Viewer, period: Period) -> Part[Sequence[Bucket]]:
    return viewer.read(
        f"series.{period.code}",
        lambda: read_series(period, scope=viewer.scope, now=viewer.now),
        seconds=_PLOT_SECONDS[period],
    )


def _draw(buckets: Sequence[Bucket], period: Period) -> SafeString | None:
    if not any(bucket.succeeded or bucket.failed for bucket in buckets):
        return None
    bars = [
        PlotBar(
            (("succeeded", bucket.succeeded), ("failed", bucket.failed)),
            words=_describe_bucket(bucket, period),
            url=_get_bucket_url(bucket),
        )
        for bucket in buckets
    ]
    return draw_bars(bars, label=str(_PLOT_NAMES[period]), name="bucket")


def _describe_bucket(bucket: Bucket, period: Period) -> str:
    return _("%(time)s: %(succeeded)s succeeded, %(failed)s failed") % {
        "time": format_begin(bucket.begin, period),
        "succeeded": intcomma(bucket.succeeded),
        "failed": intcomma(bucket.failed),
    }


def format_begin(begin: datetime, period: Period) -> str:
    """Format when a bucket begins, as exactly as its length needs. Days are those of UTC, which
    begin at another hour elsewhere.
    """
    local = localtime(begin)
    whole = period is Period.MONTH and not (local.hour or local.minute)
    return date_format(local, "j M" if whole else "j M H:i")


def _get_bucket_url(bucket: Bucket) -> str:
    return get_list_url(
        EntryFilter(status=EntryStatus.FAILED, failed_after=bucket.begin, failed_before=bucket.end)
    )


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as the page shows it; the button is missing for who may not press it."""

    group: FailureGroup
    url: str
    #: Of the error group; empty for users who may not see groups.
    page_url: str
    do: str
    do_url: str


def _build_row(viewer: Viewer, group: FailureGroup) -> GroupRow:
    do_url = ""
    if viewer.may(OPERATE[group.action]):
        do_url = get_preview_url(group.action, Selection(filter=group.filter))
    return GroupRow(
        group,
        get_list_url(group.filter),
        get_alike_url(group.fingerprint) if viewer.may(VIEW_ERROR_GROUP) else "",
        str(describe_action(group.action).label),
        do_url,
    )


def _count_holds(actor: Actor) -> int:
    return visible_holds(actor).filter(lifted_at=None).count()
