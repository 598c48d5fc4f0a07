"""How many workers are asked for, and when a dead one is replaced."""

import time

import pytest
from django.core.management import CommandError, call_command

from retry.management.commands import worker
from retry.worker.pool import Slot


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "²", "257", "many", ""])
def test_a_senseless_number_is_refused(given: str) -> None:
    with pytest.raises(CommandError, match=r"a number from 1 to 256, or auto"):
        call_command("worker", "default", f"--processes={given}")


def test_auto_is_one_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _pid: {0, 3, 5}, raising=False)
    assert worker._parse_processes("auto") == 3
    assert worker._parse_processes("7") == 7


def test_pauses_grow_up_to_a_minute_and_begin_again_after_a_long_life() -> None:
    slot = Slot(name="w-1", started_at=time.monotonic())
    assert [slot.note_death() for _ in range(8)] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0]
    assert slot.due_at > time.monotonic() + 59
    slot.started_at = time.monotonic() - 61
    assert slot.note_death() == 1.0
