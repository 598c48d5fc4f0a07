"""A request to stop that comes before RQ's worker handles signals."""

import os
import signal
from typing import Any

import pytest

from entries.models import Entry
from retry.worker import main, run_worker
from tests.support.asking import queued_entries

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_heeded_when_it_comes_while_the_worker_is_made(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = main._create_worker

    def create_and_ask(*args: Any, **kwargs: Any) -> object:
        made = create(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGTERM)
        return made

    monkeypatch.setattr(main, "_create_worker", create_and_ask)
    before = signal.getsignal(signal.SIGTERM)
    queued_entries()
    run_worker("default", burst=True)
    assert Entry.objects.get().status == "queued"
    assert signal.getsignal(signal.SIGTERM) is before
    monkeypatch.undo()
    run_worker("default", burst=True)
    assert Entry.objects.get().status == "succeeded"
