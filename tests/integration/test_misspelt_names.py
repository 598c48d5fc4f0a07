"""A misspelt source or kind is an error that names those there are, wherever one can be given."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command

from retry.models import AuditEvent, Operation, Run
from tests.admin.browsing import ENTRIES, Browser
from tests.admin.operating import PREVIEW
from tests.api.calls import Caller, ok, problem
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.processes import manage

pytestmark = pytest.mark.django_db(transaction=True)

CALLS = ["retry/bulk", "resync", "retry/now", "retry/stop", "discard", "restore"]


@pytest.fixture(autouse=True)
def news() -> None:
    SourceFactory.create(slug="news")
    EntryFactory.create(failed=True)


@pytest.fixture
def api() -> Caller:
    user = UserFactory.create(username="chief", is_staff=True, is_superuser=True)
    return Caller(user)


def nothing_was_started() -> bool:
    return not (Operation.objects.exists() or Run.objects.exists() or AuditEvent.objects.exists())


@pytest.mark.parametrize("command", ["retry", "resync"])
@pytest.mark.parametrize("more", [["--dry-run"], []])
@pytest.mark.parametrize(("option", "known"), [("--source", "news"), ("--kind", "page")])
def test_commands(command: str, more: list[str], option: str, known: str) -> None:
    arguments = [command, option, "nope", *more]
    with pytest.raises(CommandError, match="nope") as refused:
        call_command(*arguments)
    assert refused.value.returncode == 2
    assert known in str(refused.value)
    assert nothing_was_started()


def test_a_real_command_ends_with_two() -> None:
    with manage("retry", "--source", "nope") as command:
        assert command.wait(60) == 2
        assert "There are: news." in command.output


@pytest.mark.parametrize("path", CALLS)
@pytest.mark.parametrize("more", [{"dry_run": True}, {}])
def test_bodies(path: str, more: dict[str, Any], api: Caller) -> None:
    for name, code, known in (
        ("source", "unknown_source", "news"),
        ("kind", "unknown_kind", "page"),
    ):
        body: dict[str, Any] = {"filter": {name: "nope"}, **more}
        said = problem(api.post(path, body), 422, code)
        assert known in said["known"]
    assert nothing_was_started()


def test_a_source_to_be_resynced(api: Caller) -> None:
    said = problem(api.post("resync", {"source": "nope"}), 404, "source_not_found")
    assert said["known"] == ["news"]


def test_a_kind_of_which_there_are_entries_can_be_named_though_it_is_not_installed(
    api: Caller,
) -> None:
    EntryFactory.create(failed=True, kind="retired")
    found = ok(api.post("discard", {"filter": {"kind": "retired"}, "dry_run": True}))
    assert found["eligible"] == 1


def errors(browser: Browser, url: str) -> list[str]:
    page = browser.get(url)
    assert page.status_code == 200
    return [str(message) for message in page.context["messages"]]


@pytest.mark.parametrize(
    ("url", "text"),
    [
        (f"{ENTRIES}?source=nope", "There is no source “nope”, so nothing is listed. There are: "),
        (f"{ENTRIES}?kind=nope", "There is no kind “nope”, so nothing is listed. There are: "),
        (f"{ENTRIES}?status=nope", "There is no status “nope”, so nothing is listed. There are: "),
        ("/admin/retry/run/?kind=nope", "There is no kind “nope”"),
        ("/admin/retry/run/?state=nope", "There is no state “nope”"),
        ("/admin/retry/sync/?source=nope", "There is no source “nope”"),
        ("/admin/retry/operation/?action=nope", "There is no action “nope”"),
    ],
)
def test_lists_of_the_admin(url: str, text: str) -> None:
    chief = Browser(UserFactory.create(is_staff=True, is_superuser=True))
    (said,) = errors(chief, url)
    assert said.startswith(text)


def test_a_list_that_is_only_empty_says_nothing(operator: Any) -> None:
    assert errors(Browser(operator), f"{ENTRIES}?source=news&kind=page&status=succeeded") == []


def test_the_preview_leads_back_and_says_so(operator: Any) -> None:
    browser = Browser(grant(operator, "retry.view_operation"))
    answer = browser.get(f"{PREVIEW}?action=retry&source=nope&back=status%3Dfailed")
    assert answer["Location"] == f"{ENTRIES}?status=failed"
    assert browser.messages_after(answer) == ["There is no source “nope”. There are: news."]
