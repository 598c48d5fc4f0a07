"""Short words for what tests of Celery's failures keep doing at the desk."""

import io
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django.core.management import call_command

from entries import transitions
from entries.content import content_hash
from entries.foreign_celery import derive_id
from entries.kinds.base import AttemptData, EntryData
from entries.kinds.sent_tasks import reserve_task
from entries.models import Attempt, Entry
from retry.service import edit_and_retry, retry_entry
from retry.worker import run_worker
from tests.support.asking import SCRIPT
from tests.support.foreign_celery import ForeignCelery


def adopt(shop: ForeignCelery, *more: str) -> str:
    out = io.StringIO()
    given = ("--results", shop.results, "--broker", shop.broker, *more)
    call_command("adopt", "celery", *given, stdout=out, no_color=True)
    return out.getvalue()


def retry(entry: Entry) -> Entry:
    """Click "Retry", and let a worker of ours do what follows."""
    retry_entry(entry.pk, actor=SCRIPT)
    run_worker("default", burst=True)
    return Entry.objects.get(pk=entry.pk)


def edit(entry: Entry, payload: Mapping[str, Any]) -> Entry:
    """Edit and retry, and let a worker of ours do what follows."""
    entry.refresh_from_db()
    seen = content_hash(entry.title, entry.payload)
    edit_and_retry(entry.pk, seen=seen, payload=payload, actor=SCRIPT)
    run_worker("default", burst=True)
    return Entry.objects.get(pk=entry.pk)


def plant_one(shop: ForeignCelery) -> Entry:
    """A failure with arguments that are known."""
    id_ = str(uuid4())
    shop.plant(id_, task_args="[1]", task_kwargs="{}")
    adopt(shop)
    return Entry.objects.get(external_id=id_)


def running(entry: Entry) -> tuple[EntryData, AttemptData]:
    """The entry under way in a worker, as a kind gets it."""
    retry_entry(entry.pk, actor=SCRIPT)
    entry.refresh_from_db()
    assert entry.run_id is not None
    transitions.claim([entry.pk], run_id=entry.run_id, worker="w")
    data = EntryData(
        id=entry.pk,
        kind=entry.kind,
        source="celery",
        external_id=entry.external_id,
        title=entry.title,
        payload=entry.payload,
    )
    attempt = AttemptData(
        number=entry.attempt, run_id=str(entry.run_id), trigger="retry", idempotency_key="k"
    )
    return data, attempt


def begin(
    entry: EntryData, attempt: AttemptData, *, cycle: int | None = None, **more: Any
) -> tuple[str, bool]:
    if cycle is None:
        queued_at = Attempt.objects.get(entry_id=entry.id, number=attempt.number).queued_at
        cycle = round(queued_at.timestamp() * 1_000_000)
    id_ = derive_id(source="celery", external_id=entry.external_id, entry_id=entry.id, cycle=cycle)
    return id_, reserve_task(entry, attempt, task_id=id_, cycle=cycle, **more)
