"""Sources of numbered items, and what a test asks of their syncs."""

from typing import Any

from django.apps import apps
from django.db import connection

from entries.errors import SourceError
from entries.models import Entry, Source
from entries.sources.sync import full_sync
from entries.sources.sync.report import SyncReport
from retry.intakes.lock import try_lock
from retry.models import Sync
from retry.outcomes import SyncOutcome
from retry.syncs import control
from retry.worker import run_worker
from tests.factories.entries import SourceFactory
from tests.support.asking import SCRIPT


def numbered(to: int, *, slug: str = "numbers", **options: Any) -> Source:
    source: Source = SourceFactory.create(
        slug=slug, kind="numbered", entry_kind="scripted", options={"to": to} | options
    )
    return source


def now_has(source: Source, **options: Any) -> None:
    """What the source says from now on."""
    Source.objects.filter(pk=source.pk).update(options=options)


def sync(source: Source, **options: Any) -> SyncReport:
    """As a worker does under the source's lock, and nothing of it in the history."""
    with try_lock(Sync(source=source)) as alone:
        if not alone:
            raise SourceError("sync_running", "the source is being synced already")
        return full_sync.sync(source, **options)


def synced(source: Source, **options: Any) -> SyncOutcome:
    return control.sync_source(source, actor=SCRIPT, submit=False, **options)


def counts(sync: Any) -> tuple[int, int, int, int, int]:
    """Created, updated, unchanged, gone, invalid: of a row or a report."""
    return (sync.created, sync.updated, sync.unchanged, sync.gone, sync.invalid)


def gone_ids() -> list[str]:
    gone = Entry.objects.filter(gone_at__isnull=False)
    return sorted(gone.values_list("external_id", flat=True))


def work_off() -> None:
    """Whatever syncs are queued in Redis, by a worker in this process's place."""
    run_worker("sync", burst=True)


def everything_but_syncs() -> dict[str, list[Any]]:
    """All rows of all tables."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model is not Sync and model._meta.managed
    }


def temporary_tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'sync\\_%' AND relkind='r'")
        return [name for (name,) in cursor.fetchall()]
