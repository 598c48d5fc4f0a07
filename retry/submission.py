"""Submit: store and queue what pipelines push, in one transaction."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from entries import storage
from entries.kinds import registry
from entries.phrases import phrase
from entries.sources.base import SourceItem
from entries.sources.ids import MAX_ID, is_storable
from entries.sources.items import MAX_PAYLOAD_BYTES, MAX_TITLE
from entries.sources.patches import Patch
from entries.states import EntryStatus
from entries.storage import Content, StoredEntry
from entries.text import NotJSON, NotStorable, clean_json, clean_text
from entries.transitions import QueueResult
from retry import audit, sentences
from retry.access.permissions import SUBMIT_ENTRY
from retry.access.visibility import find_sources, hidden_external_ids, visible_sources
from retry.errors import InvalidItems, SourceNotFound, TooManyEntries
from retry.models import Trigger
from retry.outcomes import Actor
from retry.reasons import Reason
from retry.runs.handover import Handover
from retry.runs.start import Start, start_entries

#: Items in one call.
LIMIT = 1_000


class Effect(StrEnum):
    """What a push did to the stored content."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT_ALONE = "left_alone"


@dataclass(frozen=True, slots=True)
class Fate:
    """What happens to a pushed item. ``reason``: why it is not queued; None where it is."""

    effect: Effect
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class SubmitResult:
    """What happened to one item. ``entry_id`` and ``status`` are None for a hidden entry."""

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
    """One result for each item, in their order; ``dispatched`` as in ``QueueOutcome``."""

    items: tuple[SubmitResult, ...]
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
    """Return what happens to an item whose entry has ``status``, or None where it has none."""
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


def find_problems(item: SourceItem) -> dict[str, str]:
    """Return member -> why it cannot be stored as it is; empty where it can.

    Nothing is corrected here: the sender should know what is stored.
    """
    found: dict[str, str] = {}
    external_id = item.external_id
    if not external_id.strip():
        found["external_id"] = sentences.BLANK()
    elif len(external_id) > MAX_ID:
        found["external_id"] = sentences.TOO_LONG(limit=MAX_ID)
    elif clean_text(external_id, limit=MAX_ID) != external_id:
        found["external_id"] = sentences.CONTROL_CHARACTERS()
    if len(item.title) > MAX_TITLE:
        found["title"] = sentences.TOO_LONG(limit=MAX_TITLE)
    elif clean_text(item.title, limit=MAX_TITLE) != item.title:
        found["title"] = sentences.CONTROL_CHARACTERS()
    try:
        payload = clean_json(item.payload, max_bytes=MAX_PAYLOAD_BYTES)
    except (NotJSON, NotStorable) as error:
        found["payload"] = sentences.NOT_STORABLE(why=str(error))
    else:
        if not isinstance(payload, dict):
            found["payload"] = sentences.NO_OBJECT()
        elif payload != item.payload:
            found["payload"] = sentences.NOT_KNOWN()
    return found


def submit(
    items: Sequence[SourceItem],
    *,
    kind: str | None,
    source: str | None = None,
    actor: Actor,
    reason: str = "",
) -> SubmitOutcome:
    """Store ``items`` by source and external id; queue the new, changed and pending entries.

    ``source``: its slug. ``kind`` may be None with a source, and is then that of its entries. All
    items are stored or none, in one transaction. Pushing the same again changes nothing. Entries
    hidden from the actor are left alone, as not found. Raises ``NotPermitted``, ``TooManyEntries``
    (more than 1,000), ``InvalidItems``, ``SourceNotFound`` and ``entries.errors.UnknownKind``, all
    before anything is stored.
    """
    source_id, kind = _authorize(items, kind=kind, source=source, actor=actor)
    _check(items)
    hidden = hidden_external_ids([i.external_id for i in items], source_id=source_id, actor=actor)
    with transaction.atomic():
        mine = [item for item in items if item.external_id not in hidden]
        stored = storage.store(source_id=source_id, kind=kind, items=mine)
        found, handover = _queue_stored(stored, _Push(actor, reason, source_id))
    found |= {id_: _describe_not_found(id_) for id_ in hidden}
    return SubmitOutcome(tuple(found[item.external_id] for item in items), handover.done)


def submit_patches(
    patches: Sequence[Patch],
    *,
    kind: str | None,
    source: str | None = None,
    actor: Actor,
    reason: str = "",
) -> tuple[SubmitOutcome, dict[str, dict[str, str]]]:
    """Apply ``patches`` to the known entries, and ``submit`` the results.

    Members that a patch does not name stay: entries are locked before they are read. A result that
    cannot be stored is left out, and described in the second value, by external id and member.
    External ids must differ. Raises as ``submit`` does, except ``InvalidItems``.
    """
    source_id, kind = _authorize(patches, kind=kind, source=source, actor=actor)
    problems: dict[str, dict[str, str]] = {}
    askable = [id_ for p in patches if is_storable(id_ := p.external_id)]
    hidden = hidden_external_ids(askable, source_id=source_id, actor=actor)
    mine = [patch for patch in patches if patch.external_id not in hidden]

    def merge(known: Mapping[str, Content]) -> list[SourceItem]:
        problems.clear()
        items = [patch.apply(known.get(patch.external_id)) for patch in mine]
        found = {item.external_id: find_problems(item) for item in items}
        problems.update((id_, wrong) for id_, wrong in found.items() if wrong)
        return [item for item in items if not found[item.external_id]]

    with transaction.atomic():
        stored = storage.store_merged(
            source_id=source_id,
            kind=kind,
            external_ids=[id_ for id_ in askable if id_ not in hidden],
            merge=merge,
        )
        found, handover = _queue_stored(stored, _Push(actor, reason, source_id))
    found |= {id_: _describe_not_found(id_) for id_ in hidden}
    ids = [patch.external_id for patch in patches if patch.external_id in found]
    return SubmitOutcome(tuple(found[id_] for id_ in ids), handover.done), problems


def _authorize(
    items: Sequence[Any], *, kind: str | None, source: str | None, actor: Actor
) -> tuple[int | None, str]:
    actor.require(SUBMIT_ENTRY)
    if len(items) > LIMIT:
        raise TooManyEntries(limit=LIMIT, given=len(items), submitted=True)
    return resolve_destination(kind=kind, source=source, actor=actor)


class _Push(NamedTuple):
    """Who pushed, why, and to which source."""

    actor: Actor
    reason: str
    source_id: int | None


def _queue_stored(
    stored: Sequence[StoredEntry], push: _Push
) -> tuple[dict[str, SubmitResult], Handover]:
    """Queue what is new, changed or pending; in the transaction that stored it."""
    fates = {s.id: foresee(s.status, changed=s.changed, same_kind=s.same_kind) for s in stored}
    start = start_entries(
        sorted(id_ for id_, fate in fates.items() if fate.reason is None),
        verb="resubmit",
        trigger=Trigger.SUBMIT,
        actor=push.actor,
        reason=push.reason,
        # However few: a pipeline that pushes one by one must not fill the queue for clicks.
        bulk=True,
        audited=False,  # below, together with what was stored
    )
    _record(stored, fates, start, push)
    by_id = {result.id: result for result in start.results}
    found = {s.external_id: _as_result(s, fates[s.id], by_id.get(s.id)) for s in stored}
    return found, start.handover


def resolve_destination(
    *, kind: str | None, source: str | None, actor: Actor
) -> tuple[int | None, str]:
    """Return the source's id and the kind. Raises ``SourceNotFound`` and ``UnknownKind``."""
    source_id = None
    if source is None and not find_sources(actor).includes(None):
        raise SourceNotFound("")
    if source is not None:
        found = visible_sources(actor).filter(slug=source).values("pk", "entry_kind").first()
        if found is None:
            raise SourceNotFound(source)
        source_id, kind = found["pk"], kind or found["entry_kind"]
    return source_id, registry.get(kind or "").name


def _check(items: Iterable[SourceItem]) -> None:
    problems: dict[tuple[int, str], str] = {}
    first: dict[str, int] = {}
    for index, item in enumerate(items):
        found = find_problems(item)
        before = first.setdefault(item.external_id, index)
        if before != index:
            place = f"entries.{before}"
            found["external_id"] = phrase("is the same as in %(item)s", item=place)
        problems |= {(index, member): message for member, message in found.items()}
    if problems:
        raise InvalidItems(problems)


def _record(
    stored: Sequence[StoredEntry], fates: Mapping[int, Fate], start: Start, push: _Push
) -> None:
    effects = Counter(fate.effect for fate in fates.values())
    if start.runs or effects[Effect.CREATED] or effects[Effect.UPDATED]:
        audit.record(
            "submit",
            actor=push.actor,
            count=len(stored),
            reason=push.reason,
            entry_id=stored[0].id if len(stored) == 1 else None,
            run_id=start.run_id,
            source_id=push.source_id,
            after={effect.value: effects[effect] for effect in Effect}
            | {"queued": start.queued, "runs": len(start.runs)},
        )


def _describe_not_found(external_id: str) -> SubmitResult:
    return SubmitResult(external_id, None, Effect.LEFT_ALONE, None, 0, reason=Reason.NOT_FOUND)


def _as_result(stored: StoredEntry, fate: Fate, seen: QueueResult | None) -> SubmitResult:
    if seen is not None and seen.run_id is not None:
        status, attempt, run_id = EntryStatus.QUEUED, seen.attempt, seen.run_id
        return SubmitResult(stored.external_id, stored.id, fate.effect, status, attempt, run_id)
    status = stored.status or EntryStatus.PENDING
    return SubmitResult(
        stored.external_id, stored.id, fate.effect, status, stored.attempt, reason=fate.reason
    )
