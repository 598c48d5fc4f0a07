"""Those from whom a world is hidden, and a world that they see."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from entries.lists import counts
from entries.models import Entry
from retry.access import views
from retry.admin.entries import facets
from retry.models import Action, Hold, Sync, WorkerHeartbeat
from retry.operations import control
from retry.operations.selection import Selection
from tests.admin.walking import populate
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.counts import add_count
from tests.support.error_groups import note_failures
from tests.support.hiding import hide_source
from tests.walk import acts
from tests.walk.files import uploads_elsewhere
from tests.walk.hidden import SHARED, STATUSES, WORD
from tests.walk.people import OUTSIDERS


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not counted in time is left out, here or there."""
    monkeypatch.setattr(facets, "SECONDS", 60)
    monkeypatch.setattr(views, "COUNT_SECONDS", 60)
    monkeypatch.setattr(counts, "BUDGET_SECONDS", 60.0)


@pytest.fixture(params=OUTSIDERS)
def user(request: pytest.FixtureRequest) -> User:
    """Of each role, and of a team that has a source of its own."""
    made = OUTSIDERS[request.param]()
    made.groups.add(Group.objects.create(name="team"))
    return type(made).objects.get(pk=made.pk)


@pytest.fixture
def made(user: User) -> Iterator[dict[str, Any]]:
    """Something of everything that the user may see."""
    with uploads_elsewhere():
        found = populate()
        mine = SourceFactory.create(slug="mine")
        mine.groups.add(*user.groups.all())
        later = timezone.now() + timedelta(hours=1)
        for status in STATUSES:
            EntryFactory.create(source=mine, **{status: True})
        EntryFactory.create_batch(3, source=mine, failed=True, fingerprint=SHARED)
        entry = Entry.objects.filter(fingerprint=SHARED).latest("pk")
        note_failures(SHARED, sample_entry_id=entry.pk, source_id=mine.pk, count=3)
        add_count(3, at=timezone.now(), fingerprint=SHARED, kind="page", source_id=mine.pk)
        Sync.objects.create(source=mine, state="failed", error_code="unreachable", error="away")
        control.start(Selection(ids=(entry.pk,)), action=Action.RETRY, actor=SCRIPT)
        WorkerHeartbeat.objects.create(
            name="w", queue="bulk", host="h", pid=1, started_at=timezone.now(),
            beat_at=later, state="busy",
        )  # fmt: skip
        hold = Hold.objects.create(source=mine, actor_label="anna")
        # That something is hidden may be seen, and is before anything is in it.
        hide_source(SourceFactory.create(slug=f"{WORD}-empty"))
        acts.furnish(found, user)
        yield found | {"retry_hold": hold}
