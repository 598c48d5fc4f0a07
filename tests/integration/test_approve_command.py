"""``manage.py approve``, and what ``manage.py retry`` says of an operation that awaits approval."""

from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from retry.models import AuditEvent, Operation
from tests.support.operations import failed, start

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def above_two(settings: "Settings") -> None:
    settings.REDRIVE_APPROVAL_ABOVE = 2


def test_approved_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    failed(3)
    operation = start()
    call_command("approve", str(operation.pk), "--reason", "agreed")
    assert "on 3 entries: approved." in capsys.readouterr().out
    assert Operation.objects.get().state == "planned"
    event = AuditEvent.objects.get(verb="approve")
    assert (event.channel, event.reason) == ("command", "agreed")


def test_rejected_by_command(capsys: pytest.CaptureFixture[str]) -> None:
    failed(3)
    operation = start()
    call_command("approve", str(operation.pk), "--reject")
    assert "rejected." in capsys.readouterr().out
    assert Operation.objects.get().state == "cancelled"


def test_what_cannot_be_approved_is_said() -> None:
    with pytest.raises(CommandError, match="There is no operation"):
        call_command("approve", str(uuid4()))


def test_a_retry_says_that_it_awaits_approval(capsys: pytest.CaptureFixture[str]) -> None:
    failed(3)
    with pytest.raises(CommandError, match="Awaiting approval") as caught:
        call_command("retry", "--wait", "--ramp", "1, 2, rest", "--start-at", "2099-01-31T06:00")
    assert caught.value.returncode == 2
    operation = Operation.objects.get()
    assert f"manage.py approve {operation.pk}" in capsys.readouterr().out
    assert operation.ramp == [1, 2]
    with pytest.raises(CommandError, match="another user"):
        call_command("approve", str(operation.pk))


def test_groups_are_left_out_by_command() -> None:
    failed(2)
    call_command("retry", "--exclude-fingerprints", "1-x,1-y")
    assert Operation.objects.get().selection_words == "status failed, fingerprint not 1-x or 1-y"
