"""What audit events say, for actors from whom some of it is hidden.

Which events there are for them is ``visible_events``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from retry.access.payloads import hide_payloads
from retry.access.visibility import find_sources, visible_ids, visible_sources
from retry.models import AuditEvent
from retry.outcomes import Actor

#: Of a token: the slugs of its sources.
_SOURCES = "sources"


def shield(events: Sequence[AuditEvent], *, actor: Actor) -> Sequence[AuditEvent]:
    """Blank, in instances that are only shown, what the events tell of hidden things.

    That is all that changed in an entry which the actor may not see, payloads, and the names of
    hidden sources. At most two statements.
    """
    ids = [event.entry_id for event in events if event.entry_id is not None]
    seen = set(visible_ids(ids, actor=actor))
    named = {slug for event in events for data in _list_data(event) for slug in _list_slugs(data)}
    known = _find_known(named, actor=actor)
    for event in events:
        shown = event.entry_id is None or event.entry_id in seen
        event.before = _hide(event.before, known, actor=actor) if shown else None
        event.after = _hide(event.after, known, actor=actor) if shown else None
    return events


def _find_known(slugs: set[str], *, actor: Actor) -> set[str]:
    if not slugs or find_sources(actor).everything:
        return slugs
    return set(visible_sources(actor).filter(slug__in=slugs).values_list("slug", flat=True))


def _hide(data: Any, known: set[str], *, actor: Actor) -> Any:
    found = hide_payloads(data, actor=actor)
    slugs = _list_slugs(found)
    if found is None or known.issuperset(slugs):
        return found
    return {**found, _SOURCES: [slug for slug in slugs if slug in known]}


def _list_data(event: AuditEvent) -> tuple[Mapping[str, Any] | None, Mapping[str, Any] | None]:
    return event.before, event.after


def _list_slugs(data: Mapping[str, Any] | None) -> list[str]:
    slugs = (data or {}).get(_SOURCES)
    return list(map(str, slugs)) if isinstance(slugs, list) else []
