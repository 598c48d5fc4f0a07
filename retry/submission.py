"""Submit: what pipelines push is stored and queued, in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from entries import transitions
from entries.kinds import registry
from entries.models import Source
from entries.sources.base import SourceItem
from entries.sources.ids import MAX_ID, is_storable
from entries.sources.items import MAX_PAYLOAD_BYTES, MAX_TITLE
from entries.sources.patches import Patch
from entries.states import EntryStatus
from entries.text import NotJSON, NotStorable, clean_json, clean_text
from entries.transitions import Content, QueueResult, StoredEntry
from retry import audit
from retry.access.visibility import hidden_external_ids
from retry.errors import InvalidItems, NotPermitted, SourceNotFound, TooManyEntries
from retry.holds.condition import ActiveHolds, find_active_holds
from retry.models import Trigger
from retry.outcomes import Actor, Reason
from retry.runs.creation import collect_members, create_runs, run_sizes
from retry.runs.handover import Handover

SUBMIT = "entries.submit_entry"
#: Items in one call.
LIMIT = 1_000


class Effect(StrEnum):
    """What a push did to the content that is stored."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left_alone"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a pushed item. ``reason``: why it is not queued; None where it is."""

    effect: Effect
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class Submitted:
    """``entry_id`` and ``status`` are None for an entry that the actor may not see."""

    external_id: str
    entry_id: int | None
    effect: Effect
    status: EntryStatus | None
    attempt: int
    run_id: UUID | None = None
    reason: Reason | None = None

    @property
    def queued(self) -> bool:
        return self.reason is None


@dataclass(frozen=True, slots=True)
class SubmitOutcome:
    """One ``Submitted`` for each item, in their order; ``dispatched`` as in ``QueueOutcome``."""

    items: tuple[Submitted, ...]
    dispatched: bool

    @property
    def queued(self) -> int:
        return sum(item.queued for item in self.items)

    @property
    def effects(self) -> Mapping[Effect, int]:
        return Counter(item.effect for item in self.items)

    @property
    def skipped(self) -> Mapping[Reason, int]:
        return Counter(item.reason for item in self.items if item.reason is not None)


def foresee(status: EntryStatus | None, *, changed: bool, same_kind: bool) -> Fate:
    """What becomes of an item whose entry has ``status`` now, or is not there (None)."""
    if status is None:
        return Fate(Effect.CREATED)
    if not same_kind:
        return Fate(Effect.LEFT_ALONE, Reason.OTHER_KIND)
    if status is EntryStatus.RUNNING:
        return Fate(Effect.LEFT_ALONE, Reason.ALREADY_RUNNING)
    if status is EntryStatus.DISCARDED:
        return Fate(Effect.LEFT_ALONE, Reason.DISCARDED)
    effect = Effect.UPDATED if changed else Effect.UNCHANGED
    if status is EntryStatus.QUEUED:
        return Fate(effect, Reason.ALREADY_QUEUED)
    at_rest = not changed and status is not EntryStatus.PENDING
    return Fate(effect, Reason.UNCHANGED if at_rest else None)


def problems_with(item: SourceItem) -> dict[str, str]:
    """Member -> why it cannot be stored as it is; empty where it can. Nothing is mended here:
    whoever pushes should know what is stored.
    """
    found = {}
    external_id = item.external_id
    if not external_id.strip():
        found["external_id"] = "must not be blank"
    elif len(external_id) > MAX_ID:
        found["external_id"] = f"must have at most {MAX_ID} characters"
    elif clean_text(external_id, limit=MAX_ID) != external_id:
        found["external_id"] = "must not contain control characters"
    if len(item.title) > MAX_TITLE:
        found["title"] = f"must have at most {MAX_TITLE} characters"
    elif clean_text(item.title, limit=MAX_TITLE) != item.title:
        found["title"] = "must not contain control characters"
    try:
        payload = clean_json(item.payload, max_bytes=MAX_PAYLOAD_BYTES)
    except (NotJSON, NotStorable) as error:
        found["payload"] = f"cannot be stored: {error}"
    else:
        if not isinstance(payload, dict):
            found["payload"] = "must be a JSON object"
        elif payload != item.payload:
            found["payload"] = "holds something that JSON or PostgreSQL does not know, such as NUL"
    return found


def submit(
    items: Sequence[SourceItem],
    *,
    kind: str | None,
    source: str | None = None,
    actor: Actor,
    reason: str = "",
) -> SubmitOutcome:
    """Store ``items`` by source and external id, and queue what is new, changed or not tried yet.

    ``source``: its slug. ``kind`` may be None with a source, whose entries' kind is meant then.
    One transaction: all of the items or none. Pushing the same again changes nothing. What is
    known already and hidden from the actor is left alone as not found. Raises,
    before anything is stored, ``NotPermitted``, ``TooManyEntries`` (more than 1,000),
    ``InvalidItems``, ``SourceNotFound`` and ``entries.errors.UnknownKind``.
    """
    source_id, kind = _admit(items, kind=kind, source=source, actor=actor)
    _check(items)
    hidden = hidden_external_ids([i.external_id for i in items], source_id=source_id, actor=actor)
    with transaction.atomic():
        mine = [item for item in items if item.external_id not in hidden]
        stored = transitions.store(source_id=source_id, kind=kind, items=mine)
        found, handing = _queue_stored(stored, _Push(actor, reason, source_id))
    found |= {id_: _not_found(id_) for id_ in hidden}
    return SubmitOutcome(tuple(found[item.external_id] for item in items), handing.done)


def submit_patches(
    patches: Sequence[Patch],
    *,
    kind: str | None,
    source: str | None = None,
    actor: Actor,
    reason: str = "",
) -> tuple[SubmitOutcome, dict[str, dict[str, str]]]:
    """``submit`` what ``patches`` make of what is known; their ids must differ.

    What a patch does not say stays as it is at that moment: what is known is locked before it is
    read. One that makes something that cannot be stored is left out, and is in the second value
    with what is wrong, by external id. Raises as ``submit``, but not ``InvalidItems``.
    """
    source_id, kind = _admit(patches, kind=kind, source=source, actor=actor)
    problems: dict[str, dict[str, str]] = {}
    askable = [id_ for p in patches if is_storable(id_ := p.external_id)]
    hidden = hidden_external_ids(askable, source_id=source_id, actor=actor)
    mine = [patch for patch in patches if patch.external_id not in hidden]

    def merge(known: Mapping[str, Content]) -> list[SourceItem]:
        problems.clear()
        items = [patch.apply(known.get(patch.external_id)) for patch in mine]
        found = {item.external_id: problems_with(item) for item in items}
        problems.update((id_, wrong) for id_, wrong in found.items() if wrong)
        return [item for item in items if not found[item.external_id]]

    with transaction.atomic():
        stored = transitions.store_merged(
            source_id=source_id,
            kind=kind,
            external_ids=[id_ for id_ in askable if id_ not in hidden],
            merge=merge,
        )
        # The last batch of a file is small, whatever the file is.
        found, handing = _queue_stored(stored, _Push(actor, reason, source_id))
    found |= {id_: _not_found(id_) for id_ in hidden}
    ids = [patch.external_id for patch in patches if patch.external_id in found]
    return SubmitOutcome(tuple(found[id_] for id_ in ids), handing.done), problems


def _admit(
    items: Sequence[Any], *, kind: str | None, source: str | None, actor: Actor
) -> tuple[int | None, str]:
    if not actor.may(SUBMIT):
        raise NotPermitted(SUBMIT)
    if len(items) > LIMIT:
        raise TooManyEntries(limit=LIMIT, given=len(items), done="submitted")
    return destination(kind=kind, source=source)


class _Push(NamedTuple):
    """Who pushed, why, and where to."""

    actor: Actor
    reason: str
    source_id: int | None


def _queue_stored(
    stored: Sequence[StoredEntry], push: _Push
) -> tuple[dict[str, Submitted], Handover]:
    """Queue what is new, changed or not tried yet; in the transaction that stored it."""
    fates = {s.id: foresee(s.status, changed=s.changed, same_kind=s.same_kind) for s in stored}
    eager = sorted(id_ for id_, fate in fates.items() if fate.reason is None)
    on_hold = find_active_holds()
    seen = transitions.queue(
        eager, verb="resubmit", run_sizes=run_sizes(), held=sorted(on_hold.upstreams)
    )
    handing = _follow_up(stored, fates, seen, push, on_hold)
    by_id = {s.id: s for s in seen}
    found = {s.external_id: _submitted(s, fates[s.id], by_id.get(s.id)) for s in stored}
    return found, handing


def destination(*, kind: str | None, source: str | None) -> tuple[int | None, str]:
    """The source's id and the kind that are meant. Raises ``SourceNotFound``, ``UnknownKind``."""
    source_id = None
    if source is not None:
        found = Source.objects.filter(slug=source).values("pk", "entry_kind").first()
        if found is None:
            raise SourceNotFound(source)
        source_id, kind = found["pk"], kind or found["entry_kind"]
    return source_id, registry.get(kind or "").name


def _check(items: Iterable[SourceItem]) -> None:
    problems: dict[tuple[int, str], str] = {}
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        found = problems_with(item)
        before = first.setdefault(item.external_id, index)
        if before != index:
            found["external_id"] = f"is the same as in entries.{before}"
        problems |= {(index, member): message for member, message in found.items()}
    if problems:
        raise InvalidItems(problems)


def _follow_up(
    stored: Sequence[StoredEntry],
    fates: Mapping[int, Fate],
    seen: Sequence[QueueResult],
    push: _Push,
    on_hold: ActiveHolds,
) -> Handover:
    """The runs of what was queued, and the audit, in the transaction that changed it."""
    queued, (actor, reason, source_id) = collect_members(seen), push
    # However few: a pipeline that pushes one by one must not fill the queue of the clicks.
    runs = create_runs(
        queued, trigger=Trigger.SUBMIT, actor=actor, reason=reason, bulk=True, on_hold=on_hold
    )
    effects = Counter(fate.effect for fate in fates.values())
    if runs or effects[Effect.CREATED] or effects[Effect.UPDATED]:
        audit.record(
            "submit",
            actor=actor,
            count=len(stored),
            reason=reason,
            entry_id=stored[0].id if len(stored) == 1 else None,
            run_id=runs[0].id if len(runs) == 1 else None,
            source_id=source_id,
            after={effect.value: effects[effect] for effect in Effect}
            | {"queued": len(queued), "runs": len(runs)},
        )
    return Handover([run for run in runs if run.dispatches])


def _not_found(external_id: str) -> Submitted:
    return Submitted(external_id, None, Effect.LEFT_ALONE, None, 0, reason=Reason.NOT_FOUND)


def _submitted(stored: StoredEntry, fate: Fate, seen: QueueResult | None) -> Submitted:
    if seen is not None and seen.run_id is not None:
        status, attempt, run_id = EntryStatus.QUEUED, seen.attempt, seen.run_id
        return Submitted(stored.external_id, stored.id, fate.effect, status, attempt, run_id)
    status = stored.status or EntryStatus.PENDING
    return Submitted(
        stored.external_id, stored.id, fate.effect, status, stored.attempt, reason=fate.reason
    )
