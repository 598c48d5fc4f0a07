"""Rows that cannot be true cannot be stored, whoever writes them."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, models, transaction
from django.utils import timezone

from entries.models import Attempt, Entry
from retry.models import Run
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db

FAILED = {"failed_at": timezone.now(), "fingerprint": "1-a"}
RUN = {"actor_label": "x", "trigger": "retry", "kind": "page", "queue": "default", "entry_ids": [1]}

ENTRIES: list[tuple[str, dict[str, Any]]] = [
    ("entry_status_known", {"status": "broken"}),
    ("entry_status_known", {"status": ""}),
    ("entry_status_known", {"status": "Failed", **FAILED}),
    ("entry_active_has_run", {"status": "queued"}),
    ("entry_active_has_run", {"status": "running"}),
    ("entry_failed_has_error", {"status": "failed"}),
    ("entry_failed_has_error", {"status": "failed", "failed_at": timezone.now()}),
    ("entry_failed_has_error", {"status": "failed", "fingerprint": "1-a"}),
    ("entry_scheduled_has_time", {"status": "scheduled"}),
]


def refused(model: type[models.Model], constraint: str, **values: Any) -> None:
    with pytest.raises(IntegrityError, match=constraint), transaction.atomic():
        model._base_manager.create(**values)
    assert not model._base_manager.exists()


@pytest.mark.parametrize(("constraint", "values"), ENTRIES)
def test_impossible_entries(constraint: str, values: dict[str, Any]) -> None:
    refused(Entry, constraint, kind="page", external_id="x", **values)


def test_every_constraint_of_an_entry_is_tried() -> None:
    checks = {c.name for c in Entry._meta.constraints if isinstance(c, models.CheckConstraint)}
    assert checks == {constraint for constraint, _ in ENTRIES}


def test_impossible_runs() -> None:
    refused(Run, "run_state_known", **RUN, size=1, state="broken")
    refused(Run, "run_running_has_lease", **RUN, size=1, state="running")


def test_impossible_attempts() -> None:
    entry = EntryFactory.create()
    values = {"entry": entry, "number": 1, "run_id": uuid4(), "previous_status": "pending"}
    refused(Attempt, "attempt_status_known", **values, status="scheduled")


def test_no_source_is_a_source_of_its_own() -> None:
    """Else entries without one could be there twice."""
    EntryFactory.create(external_id="a", source=None)
    with pytest.raises(IntegrityError, match="entry_source_external_id"), transaction.atomic():
        EntryFactory.create(external_id="a", source=None)


@pytest.mark.parametrize(
    "trait", ["queued", "running", "succeeded", "failed", "scheduled", "discarded"]
)
def test_what_can_be_true_is_stored(trait: str) -> None:
    assert EntryFactory.create(**{trait: True}).pk
