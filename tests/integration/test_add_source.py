"""``manage.py add_source``."""

import io

import pytest
from django.core.management import CommandError, call_command

from entries.models import Source
from retry.models import AuditEvent

pytestmark = pytest.mark.django_db

URL = "https://news.example/feed"


def add(*arguments: str) -> str:
    out = io.StringIO()
    call_command("add_source", *arguments, stdout=out, no_color=True)
    return out.getvalue()


def test_with_what_is_needed() -> None:
    assert add("news", "--location", URL) == "Added the source news.\n"
    source = Source.objects.get()
    assert (source.slug, source.name, source.kind) == ("news", "news", "feed")
    assert (source.location, source.entry_kind, source.enabled) == (URL, "page", True)
    assert source.options == {}


def test_with_everything() -> None:
    add(
        *["news", "--kind", "feed", "--location", f" {URL} ", "--name", "The news"],
        *["--entry-kind", "page", "--every", "600"],
    )
    source = Source.objects.get()
    assert (source.name, source.location, source.sync_interval) == ("The news", URL, 600)


def test_a_source_is_added_once() -> None:
    add("news", "--location", URL)
    with pytest.raises(CommandError, match="The source 'news' already exists"):
        add("news", "--location", "https://other.example/")
    said = add("news", "--location", "https://other.example/", "--if-missing")
    assert said == "The source news already exists; nothing was changed.\n"
    assert Source.objects.get().location == URL


def test_if_missing_adds_what_is_missing() -> None:
    add("news", "--location", URL, "--if-missing")
    assert Source.objects.count() == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["news", "--location", URL, "--kind", "fead"], "'fead'; registered: "),
        (
            ["news", "--location", URL, "--entry-kind", "pgae"],
            "no kind is registered as 'pgae'; registered: ",
        ),
        (["news", "--location", "news.example"], "only absolute http and https URLs"),
        (["news", "--location", "file:///etc/passwd"], "only absolute http and https URLs"),
        (["news", "--location", "http://x/" + "a" * 2_000], "location: Ensure this value has"),
        (["new s", "--location", URL], "slug: Enter a valid"),
        (["news", "--location", URL, "--every", "9"], "sync_interval: Ensure this value is"),
        (["news", "--location", URL, "--every", "-60"], "sync_interval: Ensure this value is"),
        (["news", "--location", URL, "--option", "depth"], "write it as KEY=VALUE"),
        (["news", "--location", URL, "--option", "=1"], "write it as KEY=VALUE"),
        (["news", "--location", URL, "--option", "a=b"], "takes no options, but got a"),
        (["news", "--location", URL, "--option", "depth=2"], "takes no options, but got depth"),
    ],
)
def test_slips_of_the_pen(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        add(*arguments)
    assert message in str(caught.value)
    assert Source.objects.count() == 0


def test_help_says_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        call_command("add_source", "--help")
    said = capsys.readouterr().out
    assert "kind of source: " in said
    assert " feed" in said
    assert "page" in said


def test_it_is_in_the_audit_without_its_credentials() -> None:
    call_command("add_source", "s", location="https://alice:s3cr3t-w0rd@h.example/", kind="feed")
    event = AuditEvent.objects.get()
    assert (event.verb, event.channel) == ("add_source", "command")
    assert (event.after or {})["location"] == "https://***@h.example/"
