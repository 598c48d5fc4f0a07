"""What audit events say, for actors from whom some of it is hidden.

Which events there are for them is ``visible_events``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from retry.access.payloads import hide_payloads
from retry.access.visibility import find_sources, visible_ids, visible_sources
from retry.models import AuditEvent
from retry.outcomes import Actor

#: Of a token: the slugs of its sources. Of a subscription: the slug of its source.
_SOURCES, _SOURCE = "sources", "source"
_SUBSCRIPTION = "retry.subscription:"


def shield(events: Sequence[AuditEvent], *, actor: Actor) -> Sequence[AuditEvent]:
    """Blank, in instances that are only shown, what the events tell of hidden things.

    That is all that changed in an entry which the actor may not see, payloads, and the names of
    hidden sources. At most two statements.
    """
    ids = [event.entry_id for event in events if event.entry_id is not None]
    seen = set(visible_ids(ids, actor=actor))
    named = {slug for event in events for slug in _list_named(event)}
    known = _find_known(named, actor=actor)
    for event in events:
        shown = event.entry_id is None or event.entry_id in seen
        before, after = (event.before, event.after) if shown else (None, None)
        event.before = _hide(event, before, known, actor=actor)
        event.after = _hide(event, after, known, actor=actor)
    return events


def _find_known(slugs: set[str], *, actor: Actor) -> set[str]:
    if not slugs or find_sources(actor).everything:
        return slugs
    return set(visible_sources(actor).filter(slug__in=slugs).values_list("slug", flat=True))


def _hide(event: AuditEvent, data: Any, known: set[str], *, actor: Actor) -> Any:
    found = hide_payloads(data, actor=actor)
    slugs = _list_slugs(event, found)
    if found is None or known.issuperset(slugs):
        return found
    if event.subject.startswith(_SUBSCRIPTION):
        return {**found, _SOURCE: None}
    return {**found, _SOURCES: [slug for slug in slugs if slug in known]}


def _list_named(event: AuditEvent) -> list[str]:
    return [*_list_slugs(event, event.before), *_list_slugs(event, event.after)]


def _list_slugs(event: AuditEvent, data: Mapping[str, Any] | None) -> list[str]:
    data = data or {}
    if event.subject.startswith(_SUBSCRIPTION):
        return [data[_SOURCE]] if isinstance(data.get(_SOURCE), str) else []
    slugs = data.get(_SOURCES)
    return list(map(str, slugs)) if isinstance(slugs, list) else []
