"""The first sentence of the front page: what happened that is not usual, and what to do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.http import urlencode

from entries.filters import EntryFilter
from entries.kinds.upstreams import depends_on_upstreams
from entries.models import Attempt
from entries.states import EntryStatus
from retry.access.visibility import visible_entries
from retry.admin.shared.error_words import shorten_message
from retry.models import Hold
from retry.outcome_history.scope import Scope
from retry.outcome_history.series import Bucket, FrequentFailure
from retry.outcome_history.spikes import find_spike
from retry.outcomes import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """What the sentence says. ``count`` attempts failed, since and until; ``is_spike``: more than
    usual, which is ``usual`` an hour. Without one they failed in the last day.

    ``upstream``: the only one that the most frequent failure depended on, else empty, and
    ``upstreams`` says how many are known. It may be put on hold where ``hold_kind`` is given.
    """

    count: int
    is_spike: bool = False
    since: datetime | None = None
    until: datetime | None = None
    usual: int = 0
    error_class: str = ""
    message: str = ""
    upstream: str = ""
    upstreams: int = 0
    hold_kind: str = ""
    fingerprint: str = ""

    @property
    def all_url(self) -> str:
        """Address of what failed in that time and is failed now."""
        until = self.until + timedelta(minutes=1) if self.until else None
        return get_list_url(
            EntryFilter(status=EntryStatus.FAILED, failed_after=self.since, failed_before=until)
        )

    @property
    def look_url(self) -> str:
        """Address of the most frequent failures."""
        if not self.fingerprint:
            return self.all_url
        return get_list_url(EntryFilter(status=EntryStatus.FAILED, fingerprint=self.fingerprint))


def get_list_url(chosen: EntryFilter) -> str:
    """Return the address of the list of entries with that filter."""
    return f"{reverse('admin:entries_entry_changelist')}?{urlencode(chosen.parameters())}"


def find_headline(actor: Actor, *, scope: Scope, day: Sequence[Bucket], now: datetime) -> Headline:
    """Find what the sentence says; ``day``: the outcomes of the last day."""
    spike = find_spike(scope=scope, now=now)
    if spike is None:
        since = day[0].begin if day else None
        return Headline(count=sum(bucket.failed for bucket in day), since=since)
    main = spike.main
    upstreams = main.upstreams if main is not None else ()
    upstream = upstreams[0] if len(upstreams) == 1 else ""
    error_class, message = _describe(main, upstream=upstream, actor=actor)
    kind = main.kind if main is not None and upstream else ""
    return Headline(
        count=spike.count,
        is_spike=True,
        since=spike.since,
        until=spike.until,
        usual=spike.usual,
        error_class=error_class,
        message=message,
        upstream=upstream,
        upstreams=len(upstreams),
        hold_kind=kind if depends_on_upstreams(kind) else "",
        fingerprint=main.fingerprint if main is not None else "",
    )


def _describe(main: FrequentFailure | None, *, upstream: str, actor: Actor) -> tuple[str, str]:
    """Return class and message of what failed most, as far as the actor may see it."""
    if main is None:
        return "", ""
    visible = visible_entries(actor)
    alike = visible.failed().filter(fingerprint=main.fingerprint)
    found = alike.order_by("-failed_at", "-id").values_list("error_class", "error_message").first()
    sample = main.sample_entry_id
    if found is None and sample is not None and visible.filter(pk=sample).exists():
        attempts = Attempt.objects.filter(entry=sample, fingerprint=main.fingerprint)
        found = attempts.values_list("error_class", "error_message").order_by("-number").first()
    if found is None:
        return "", ""
    return found[0], shorten_message(found[1], upstream=upstream)


def is_on_hold(headline: Headline) -> bool:
    """Whether the upstream that the sentence names is on hold; read each time, as people act."""
    if not headline.hold_kind:
        return False
    names = ("", headline.upstream)
    return Hold.objects.filter(lifted_at=None, kind=headline.hold_kind, upstream__in=names).exists()
