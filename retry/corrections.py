"""Corrections: what people change in an entry to try it again."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from entries import storage
from entries.kinds.problems import find_payload_problems
from entries.phrases import Phrase, phrase
from entries.sources.base import SourceItem
from entries.states import EntryStatus
from entries.storage import ContentEdit, StoredContent
from retry import audit, edits
from retry.access.permissions import CHANGE_ENTRY, RETRY_ENTRY, VIEW_PAYLOAD
from retry.access.visibility import visible_ids
from retry.errors import ContentRefused, EntryChanged, EntryNotFound, NotRetryable
from retry.models import Trigger
from retry.outcomes import Actor, ItemOutcome
from retry.reasons import reason_for
from retry.runs.start import start_entries
from retry.submission import find_problems


def edit_and_retry(
    entry_id: int,
    *,
    seen: str,
    title: str | None = None,
    payload: Mapping[str, Any] | None = None,
    actor: Actor,
    reason: str = "",
) -> tuple[ItemOutcome, bool]:
    """Store an edited title or payload and queue the entry with it, in one transaction.

    Takes failed entries, and scheduled ones without waiting for their time. ``seen``: the content
    hash that the edit began from. None leaves title or payload as it is. The old content stays with
    the attempt. Returns as ``retry_entry`` does. Raises ``NotPermitted``, ``EntryNotFound``,
    ``NotRetryable``, ``EntryChanged`` and ``ContentRefused``; nothing is changed then.
    """
    actor.require(CHANGE_ENTRY)
    actor.require(RETRY_ENTRY)
    if payload is not None:
        actor.require(VIEW_PAYLOAD)
    read = storage.read_content(visible_ids([entry_id], actor=actor))
    if not read:
        raise EntryNotFound(entry_id)
    before = read[0]
    verb = "retry_now" if before.status is EntryStatus.SCHEDULED else "retry"
    _check_allowed(before.id, before.status, verb=verb)
    if before.hash != seen:
        raise EntryChanged(entry_id)
    after = ContentEdit(
        before,
        before.title if title is None else title,
        before.payload if payload is None else payload,
    )
    _check(after)
    return _store_and_queue(after, verb=verb, actor=actor, reason=reason)


def _store_and_queue(
    edit: ContentEdit, *, verb: str, actor: Actor, reason: str
) -> tuple[ItemOutcome, bool]:
    entry_id = edit.before.id
    trigger = Trigger.RETRY_NOW if verb == "retry_now" else Trigger.RETRY
    with transaction.atomic():
        if not storage.edit([edit]):
            raise EntryChanged(entry_id)
        start = start_entries(
            [entry_id],
            verb=verb,
            trigger=trigger,
            actor=actor,
            reason=reason,
            bulk=False,
            audited=False,  # below, together with what was changed
        )
        result = start.results[0]
        run = start.runs.get(result.run_id) if result.run_id else None
        if run is None:
            _check_allowed(entry_id, result.status, verb=verb)
            raise EntryNotFound(entry_id)
        _record(edit, run_id=run.id, actor=actor, reason=reason)
    item = ItemOutcome(
        entry_id, EntryStatus.QUEUED, result.attempt, run_id=run.id, job_id=run.job_id
    )
    return item, start.handover.done


def _check_allowed(entry_id: int, status: EntryStatus | None, *, verb: str) -> None:
    why = reason_for(status, verb=verb)
    if why is not None and status is not None:
        raise NotRetryable(reason=why, status=status, entry_id=entry_id, verb=verb)


def _check(edit: ContentEdit) -> None:
    """Raise ``ContentRefused``. A payload that was not edited is the kind's business later on."""
    item = SourceItem(str(edit.before.id), edit.title, edit.payload)
    problems = [
        phrase("the %(member)s %(problem)s", member=Phrase(member), problem=why)
        for member, why in find_problems(item).items()
    ]
    if not problems and edit.payload != edit.before.payload:
        kind = edit.before.kind
        found = find_payload_problems(kind, edit.payload)
        problems = [
            phrase("the kind %(kind)s refuses the payload: %(problem)s", kind=kind, problem=problem)
            for problem in found
        ]
    if problems:
        raise ContentRefused(problems)


def _record(edit: ContentEdit, *, run_id: Any, actor: Actor, reason: str) -> None:
    was, now = edits.find_differences(_list_content(edit.before), _list_content(edit))
    audit.record(
        "edit_and_retry",
        actor=actor,
        count=1,
        reason=reason,
        entry_id=edit.before.id,
        run_id=run_id,
        before={"status": [edit.before.status.value], **was},
        after={"status": EntryStatus.QUEUED.value, **now},
    )


def _list_content(content: StoredContent | ContentEdit) -> dict[str, Any]:
    return {"title": content.title, "payload": content.payload}
