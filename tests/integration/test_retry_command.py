"""``manage.py retry``: the same operations from a shell."""

from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from retry.models import Operation
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.counting import slowed_down
from tests.support.processes import manage

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def crew() -> Iterator[None]:
    """A dispatcher and a worker at work."""
    with manage("dispatcher"), manage("worker", "bulk"):
        yield


def failed(count: int, **payload: object) -> None:
    EntryFactory.create_batch(count, failed=True, kind="grouped", payload=payload)


def test_a_dry_run_counts_and_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    failed(2)
    EntryFactory.create(failed=True, kind="page")
    call_command("retry", "--kind", "grouped", "--dry-run")
    assert "2 of 2 entries would be retried" in capsys.readouterr().out
    assert not Operation.objects.exists()


@pytest.mark.parametrize(
    ("finding", "words"),
    [(2.0, "At least 12 entries match. "), (0.05, "")],
)
def test_a_dry_run_says_what_it_could_count(
    finding: float,
    words: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failed(12)
    with slowed_down(monkeypatch, finding=finding):
        call_command("retry", "--kind", "grouped", "--dry-run")
    assert capsys.readouterr().out == f"{words}Counting all that match took too long.\n"


def test_it_starts_an_operation_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    failed(2)
    source = SourceFactory.create(slug="news")
    EntryFactory.create(failed=True, kind="grouped", source=source)
    call_command("retry", "--source", "news", "--reason", "back", "--rate", "5", "--canary", "1")
    operation = Operation.objects.get()
    assert f"Operation {operation.pk}: 1 entries" in capsys.readouterr().out
    assert (operation.reason, operation.rate_per_second, operation.canary_size) == ("back", 5.0, 1)
    assert operation.selection == {"filter": {"status": "failed", "source": "news"}}


def test_it_takes_what_depends_on_one_upstream(capsys: pytest.CaptureFixture[str]) -> None:
    for to in ("crm", "erp"):
        EntryFactory.create(failed=True, kind="routed", payload={"to": to})
    call_command("retry", "--kind", "routed", "--upstream", "crm")
    assert Operation.objects.get().total == 1
    assert Operation.objects.get().selection_words == "status failed, kind routed, upstream crm"


def test_it_takes_what_has_a_value_in_its_payload(capsys: pytest.CaptureFixture[str]) -> None:
    failed(2, customer=17, region="eu")
    failed(1, customer="17", region="us")
    failed(1, customer=18)
    call_command("retry", "--payload", "customer=17", "--dry-run")
    assert "3 of 3 entries would be retried" in capsys.readouterr().out
    call_command("retry", "--payload", "customer=[17]", "--payload", "region=eu")
    operation = Operation.objects.get()
    assert operation.total == 2
    assert operation.selection_words == (
        "status failed, payload customer = [17], payload region = eu"
    )


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["customer"], "customer=17"),
        (["a..b=1"], "keys on both sides of each dot"),
        (["customer="], "must not be empty"),
        (["customer=1", "customer=2"], "more than once"),
        ([f"p{number}=1" for number in range(6)], "1 to 5 paths"),
    ],
)
def test_a_path_that_is_none_is_refused(arguments: list[str], why: str) -> None:
    options = [text for argument in arguments for text in ("--payload", argument)]
    with pytest.raises(CommandError, match=why):
        call_command("retry", *options)
    assert not Operation.objects.exists()


@pytest.mark.usefixtures("crew")
def test_waiting_ends_with_zero_when_all_succeeded(capsys: pytest.CaptureFixture[str]) -> None:
    failed(3)
    call_command("retry", "--wait")
    assert "3 succeeded, 0 failed" in capsys.readouterr().out


@pytest.mark.usefixtures("crew")
def test_waiting_ends_with_one_when_some_failed(capsys: pytest.CaptureFixture[str]) -> None:
    failed(1)
    failed(1, do="fail")
    with pytest.raises(SystemExit) as ended:
        call_command("retry", "--wait")
    assert ended.value.code == 1
    assert "1 succeeded, 1 failed" in capsys.readouterr().out


@pytest.mark.usefixtures("crew")
def test_waiting_ends_with_two_when_the_canary_paused_it() -> None:
    failed(3, do="fail")
    with pytest.raises(CommandError, match="Canary: 2 of 2 failed") as ended:
        call_command("retry", "--canary", "2", "--wait")
    assert ended.value.returncode == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--rate", "0"], "--rate"),
        (["--max-failure-rate", "2"], "--max-failure-rate"),
        (["--canary", "-1"], "--canary"),
        (["--failed-after", "yesterday"], "no time"),
        (["--failed-after", "2026-13-45"], "no time"),
        (["--status", "broken"], "invalid choice"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("retry", *arguments)
    assert not Operation.objects.exists()


def test_times_without_an_offset_are_the_servers() -> None:
    call_command("retry", "--failed-after", "2026-01-31T08:00", "--failed-before", "2026-02-01")
    assert Operation.objects.get().selection["filter"] == {
        "status": "failed",
        "failed_after": "2026-01-31T08:00:00+00:00",
        "failed_before": "2026-02-01T00:00:00+00:00",
    }
