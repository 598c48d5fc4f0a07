"""``manage.py hold``."""

import pytest
from django.core.management import CommandError, call_command

from retry.models import AuditEvent, Hold
from tests.factories.entries import SourceFactory
from tests.support.asking import queued_entries

pytestmark = pytest.mark.django_db


def said(capsys: pytest.CaptureFixture[str], *args: str) -> str:
    call_command("hold", *args)
    return str(capsys.readouterr().out)


def test_put_listed_and_lifted(capsys: pytest.CaptureFixture[str]) -> None:
    SourceFactory.create(slug="news")
    queued_entries()
    assert said(capsys) == "Nothing is on hold.\n"
    assert "kind scripted is on hold." in said(capsys, "--kind", "scripted", "--reason", "down")
    assert "source news is on hold." in said(capsys, "--source", "news")
    listed = said(capsys)
    assert ": down (1 runs and 0 scheduled entries wait)" in listed
    assert "source news, since" in listed
    hold = Hold.objects.get(kind="scripted")
    lifted = f"Hold {hold.pk}: kind scripted is no longer on hold.\n"
    assert said(capsys, "--lift", str(hold.pk)) == lifted
    assert set(AuditEvent.objects.filter(verb="hold").values_list("channel", flat=True)) == {
        "command"
    }


def test_one_upstream(capsys: pytest.CaptureFixture[str]) -> None:
    text = said(capsys, "--kind", "webhook", "--upstream", "crm", "--reason", "down")
    assert "upstream crm of webhook is on hold." in text
    assert "upstream crm of webhook, since" in said(capsys)
    hold = Hold.objects.get()
    assert (hold.kind, hold.upstream) == ("webhook", "crm")
    assert "upstream crm of webhook is no longer on hold." in said(capsys, "--lift", str(hold.pk))


@pytest.mark.parametrize(
    ("args", "why"),
    [
        (("--kind", "nope"), "no kind is registered"),
        (("--source", "nope"), "no source 'nope'"),
        (("--lift", "4711"), "no hold 4711"),
        (("--upstream", "crm"), "belongs to a kind"),
        (("--source", "news", "--upstream", "crm"), "belongs to a kind"),
        (("--kind", "scripted", "--upstream", "crm"), "has no upstreams"),
        (("--kind", "page", "--source", "news"), "not allowed with"),
    ],
)
def test_what_makes_no_sense_ends_with_an_error(args: tuple[str, ...], why: str) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("hold", *args)
    assert not Hold.objects.exists()
