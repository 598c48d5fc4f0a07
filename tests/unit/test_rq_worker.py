"""What RQ's worker is kept from, and what it is not."""

import pytest
from rq import Worker
from rq.exceptions import StopRequested

from retry.worker import RunWorker


def maintain(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_worker: Worker) -> None:
        raise error

    monkeypatch.setattr(Worker, "run_maintenance_tasks", fail)
    RunWorker.__new__(RunWorker).run_maintenance_tasks()


def test_a_malformed_registry_stops_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    maintain(ValueError("malformed"), monkeypatch)


def test_a_signal_during_maintenance_stops_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StopRequested):
        maintain(StopRequested(), monkeypatch)
