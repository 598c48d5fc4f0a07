"""The page before an operation: true numbers, a careful start, and just one of it."""

import re
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from entries.models import Entry
from retry.admin.operations.forms import CANARY_FROM
from retry.models import AuditEvent, Operation
from tests.admin.browsing import Browser, text_of
from tests.admin.operating import PREVIEW, failed, finish, started, url_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.counting import slowed_down

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

FAILED = f"{PREVIEW}?action=retry&status=failed"
XSS = "<script>window.pwned = true</script>"


def form_of(browser: Browser, url: str = FAILED) -> dict[str, Any]:
    """The form as the page fills it."""
    form = browser.get(url).context["form"]
    return {name: value for name in form.fields if (value := form[name].value()) is not None}


def test_it_says_what_would_happen_and_changes_nothing(at_desk: Browser) -> None:
    failed(3)
    EntryFactory.create_batch(2, queued=True)
    EntryFactory.create(succeeded=True, title="Fine already")
    before = list(Entry.objects.values())
    words = text_of(at_desk.read(f"{PREVIEW}?action=retry&q=entry"))
    for expected in ("3 will be retried", "3 will be left alone", "6 in total", "Retry 3 entries"):
        assert expected in words
    assert "2 already queued" in words
    assert "1 not failed" in words
    assert "“entry” in id, title or error" in words
    assert "Fine already" not in words, "only what will be acted on"
    assert list(Entry.objects.values()) == before
    assert not Operation.objects.exists()


def test_the_start_leads_to_the_operation_with_its_pace(foreman: Browser) -> None:
    failed(3)
    asked = {"reason": "again", "rate_per_second": "2.5", "canary_size": "2"}
    answer = foreman.post(FAILED, form_of(foreman) | asked | {"max_failure_percent": "12.5"})
    operation = Operation.objects.get()
    assert answer["Location"] == url_of(operation)
    assert (operation.rate_per_second, operation.canary_size) == (2.5, 2)
    assert (operation.max_failure_rate, operation.total) == (0.125, 3)
    words = text_of(foreman.read(answer["Location"]))
    for expected in ("2.5 entries per second", "Failure limit 12.5%", "again", "status failed"):
        assert expected in words
    event = AuditEvent.objects.get()
    assert (event.verb, event.channel, event.count) == ("start_retry", "admin", 3)


def test_the_same_form_sent_twice_starts_one_operation(foreman: Browser) -> None:
    failed(3)
    form = form_of(foreman)
    first = foreman.post(FAILED, form)
    again = foreman.post(FAILED, form | {"reason": "back in the browser, and once more"})
    assert again["Location"] == first["Location"]
    assert foreman.messages_after(again) == [
        "This form was already submitted. No second operation was started."
    ]
    assert Operation.objects.count() == 1
    foreman.post(FAILED, form_of(foreman))
    assert Operation.objects.count() == 2, "another form is another wish"


def test_the_same_that_is_under_way_is_pointed_at(foreman: Browser) -> None:
    failed(2)
    assert "under way" not in foreman.read(FAILED)
    operation = started(reason="the first")
    page = foreman.read(FAILED)
    assert "The same operation is already under way. script requested it" in text_of(page)
    assert f'href="{url_of(operation)}"' in page
    assert "under way" not in foreman.read(f"{FAILED}&kind=grouped")
    finish(operation)
    failed()
    assert "under way" not in foreman.read(FAILED)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_per_second", "0"),
        ("rate_per_second", "-1"),
        ("rate_per_second", "nan"),
        ("rate_per_second", "1e9"),
        ("canary_size", "-1"),
        ("canary_size", "10001"),
        ("canary_size", "2.5"),
        ("max_failure_percent", "101"),
        ("max_failure_percent", "inf"),
        ("reason", "x" * 501),
        ("reason", "nul \0"),
        ("key", ""),
        ("key", "not a key"),
    ],
)
def test_a_form_that_makes_no_sense_says_so_and_starts_nothing(
    field: str, value: str, foreman: Browser
) -> None:
    failed()
    answer = foreman.post(FAILED, form_of(foreman) | {field: value})
    assert answer.status_code == 200
    assert answer.context["form"].errors.keys() == {field}
    assert "Nothing was started" in text_of(answer.content.decode())
    assert not Operation.objects.exists()


def test_every_entry_must_be_meant(foreman: Browser) -> None:
    failed(2)
    EntryFactory.create(succeeded=True)
    url = f"{PREVIEW}?action=retry&all=true"
    form = form_of(foreman, url)
    answer = foreman.post(url, form)
    assert "confirm that you mean every entry" in text_of(answer.content.decode())
    assert not Operation.objects.exists()
    foreman.post(url, form | {"every": "on"})
    assert Operation.objects.get().total == 3


def test_counting_that_takes_too_long_blocks_nothing(
    foreman: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed(12)
    with slowed_down(monkeypatch, finding=0.05):
        page = foreman.read(FAILED)
    words = text_of(page)
    assert "The number of entries is unknown. Finding them took too long." in words
    assert "Finding a sample took too long." in words
    assert "Retry all of them" in words
    assert 'name="canary_size" value="20"' in page, "many, so a few of them first"
    foreman.post(FAILED, form_of(foreman))
    assert Operation.objects.get().total == 12


def test_a_sample_that_is_there_says_how_many_there_are_at_the_least(
    foreman: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a large table: the newest are found at once, and counting them all takes its time."""
    failed(12)
    with slowed_down(monkeypatch, finding=2.0):
        words = text_of(foreman.read(FAILED))
    assert "At least 12. Counting all entries took too long." in words


def test_a_canary_is_proposed_for_many_and_not_for_a_few(foreman: Browser) -> None:
    failed(1)
    assert "canary_size" not in form_of(foreman)
    EntryFactory.create_batch(CANARY_FROM, failed=True)
    assert form_of(foreman)["canary_size"] == 20


def test_nothing_to_do_offers_no_button(foreman: Browser) -> None:
    EntryFactory.create(succeeded=True)
    words = text_of(foreman.read(f"{PREVIEW}?action=retry&status=succeeded"))
    assert "No entry can be retried." in words
    assert "0 will be retried" in words
    assert "Entries per second" not in words


def test_what_failed_in_an_operation(foreman: Browser) -> None:
    failed(3)
    bad = failed(2, do="fail")
    operation = started()
    finish(operation)
    url = f"{PREVIEW}?action=retry&failed_of={operation.pk}"
    page = foreman.read(url)
    assert "2 will be retried" in text_of(page)
    assert f'href="{url_of(operation)}"' in page
    foreman.post(url, form_of(foreman, url))
    second = Operation.objects.exclude(pk=operation.pk).get()
    assert [id_ for run in second.runs.all() for id_ in run.entry_ids] == bad
    assert "what failed in an earlier operation" in text_of(foreman.read(url_of(second)))


@pytest.mark.parametrize(
    "query",
    ["", "action=retry", "action=explode&all=true", "status=nonsense", "all=true&kind=page"],
)
def test_an_address_that_says_nothing_leads_back_to_the_entries(
    query: str, at_desk: Browser
) -> None:
    answer = at_desk.get(f"{PREVIEW}?{query}")
    assert answer["Location"] == "/admin/entries/entry/"
    assert at_desk.messages_after(answer) == [
        "This address does not describe an operation. Nothing was changed."
    ]


def test_no_operation_has_no_failures(at_desk: Browser) -> None:
    unknown = uuid4()
    answer = at_desk.get(f"{PREVIEW}?action=retry&failed_of={unknown}")
    assert at_desk.messages_after(answer) == [f"There is no operation {unknown}."]


def test_who_may_not_do_it_sees_no_preview_and_starts_nothing(
    reader: "User", operator: "User", powerless: "User"
) -> None:
    failed()
    form = {"key": "0" * 32}
    blind = grant(powerless, "entries.retry_entry")
    for user, action in ((reader, "retry"), (operator, "discard"), (blind, "retry")):
        url = f"{PREVIEW}?action={action}&status=failed"
        browser = Browser(user)
        assert browser.get(url).status_code == 403
        assert browser.post(url, form).status_code == 403
    strict = Browser(operator, enforce_csrf_checks=True)
    assert strict.post(FAILED, form).status_code == 403
    assert not Operation.objects.exists()


def test_markup_from_anywhere_is_text(foreman: Browser) -> None:
    EntryFactory.create(failed=True, title=XSS, error_message=XSS, error_class="<b>")
    page = foreman.read(f"{PREVIEW}?action=retry&q={XSS}&reason={XSS}")
    assert XSS not in page
    assert "&lt;script&gt;window.pwned" in page
    form = form_of(foreman, f"{PREVIEW}?action=retry&q={XSS}") | {"reason": XSS}
    answer = foreman.post(f"{PREVIEW}?action=retry&q={XSS}", form)
    for url in (answer["Location"], "/admin/retry/operation/"):
        page = foreman.read(url)
        assert XSS not in page
        assert not re.search(r"<b><b>", page)
    assert Operation.objects.get().reason == XSS


def test_who_may_not_see_operations_starts_one_all_the_same(at_desk: Browser) -> None:
    failed(3)
    answer = at_desk.post(FAILED, form_of(at_desk))
    assert answer["Location"] == "/admin/entries/entry/"
    assert at_desk.messages_after(answer) == ["3 entries are being retried."]
