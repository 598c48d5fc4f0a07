"""The list of entries by what is in their payloads: typed, shown, removed, carried over."""

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from retry.models import Operation
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.admin.test_entry_list import listed
from tests.factories.entries import EntryFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)


def typed(browser: Browser, text: str, **others: str) -> str:
    """Type ``text`` in the list at ``others``, as its form sends it; return where that leads."""
    page = browser.read(f"{ENTRIES}?{urlencode(others)}")
    form = re.search(r'<form method="get" class="payload-filter">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    kept = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form[1])
    fields = [(html.unescape(name), html.unescape(value)) for name, value in kept]
    answer = browser.get(f"{ENTRIES}?{urlencode([*fields, ('payload', text)])}")
    assert answer.status_code == 302
    return str(answer["Location"])


def removals(page: str) -> list[str]:
    found = re.findall(r'<a href="([^"]*)" aria-label="Remove the filter', page)
    return [html.unescape(href).removeprefix("?") for href in found]


def test_what_is_typed_becomes_a_filter_beside_the_others(at_desk: Browser) -> None:
    there = typed(at_desk, " customer = 17 ", status="failed", q="entry", p="1")
    assert parse_qs(urlsplit(there).query) == {
        "status": ["failed"],
        "q": ["entry"],
        "payload.customer": ["17"],
    }
    shown = {name: value for name, [value] in parse_qs(urlsplit(there).query).items()}
    more = typed(at_desk, "links.0.href=a b", **shown)
    assert parse_qs(urlsplit(more).query) == {
        name: [value] for name, value in {**shown, "payload.links.0.href": "a b"}.items()
    }


def test_the_list_shows_what_matches_all_of_them(at_desk: Browser) -> None:
    both = EntryFactory.create(failed=True, payload={"customer": 17, "region": "eu"})
    one = EntryFactory.create(failed=True, payload={"customer": "17", "region": "us"})
    EntryFactory.create(failed=True, payload={"customer": 18, "region": "eu"})
    assert listed(at_desk, "payload.customer=17") == [one.pk, both.pk]
    assert listed(at_desk, "payload.customer=17&payload.region=eu&status=failed") == [both.pk]
    assert listed(at_desk, "payload.customer=[17]") == [both.pk]
    assert listed(at_desk, "payload.customer=17&status=succeeded") == []


def test_each_active_filter_can_be_removed_alone(at_desk: Browser) -> None:
    page = at_desk.read(f"{ENTRIES}?payload.a=1&payload.ab=2&status=failed")
    assert "a = 1 Remove" in text_of(page)
    assert "ab = 2 Remove" in text_of(page)
    assert [parse_qs(query).keys() for query in removals(page)] == [
        {"payload.ab", "status"},
        {"payload.a", "status"},
    ]
    assert "Clear all" in page


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("customer", "customer=17"),
        ("a..b=1", "keys on both sides of each dot"),
        ("customer=", "must not be empty"),
        ("customer={}", "must be text, a number"),
        ("\0=\0", "control characters"),
    ],
)
def test_what_is_typed_wrongly_is_said(text: str, why: str, at_desk: Browser) -> None:
    EntryFactory.create(failed=True)
    there = typed(at_desk, text, status="failed")
    assert parse_qs(urlsplit(there).query) == {"status": ["failed"]}
    assert why in text_of(at_desk.read(there))


def test_nothing_typed_changes_nothing(at_desk: Browser) -> None:
    assert typed(at_desk, " ", status="failed") == f"{ENTRIES}?status=failed"


@pytest.mark.parametrize(
    "query",
    [
        "payload.a..b=1",
        "payload.=1",
        "payload.a=",
        "payload.a=%00",
        "payload.a=1&payload.a=2",
        "&".join(f"payload.p{number}=1" for number in range(6)),
    ],
)
def test_an_address_that_is_wrong_lists_nothing_and_says_so(query: str, at_desk: Browser) -> None:
    EntryFactory.create(failed=True, payload={"a": 1})
    page = at_desk.read(f"{ENTRIES}?{query}")
    assert "so nothing is listed" in text_of(page)
    assert listed(at_desk, query) == []
    assert "all that match" not in page


def test_nothing_typed_into_the_page_is_code(at_desk: Browser) -> None:
    there = typed(at_desk, '<b>.0="><script>alert(1)</script>')
    page = at_desk.read(there)
    assert "<script>alert" not in page
    assert "<b>.0" not in page


def test_secrets_are_not_shown(at_desk: Browser) -> None:
    page = at_desk.read(f"{ENTRIES}?payload.auth.token=hunter2")
    assert "auth.token = ***" in text_of(page)


def test_all_pages_become_an_operation_on_what_matches(foreman: Browser) -> None:
    wanted = [EntryFactory.create(failed=True, payload={"customer": 17}).pk for _ in range(2)]
    EntryFactory.create(failed=True, payload={"customer": 18})
    form = {
        "_selected_action": ["1"],
        "action": "retry_selected",
        "index": "0",
        "select_across": "1",
    }
    shown = "payload.customer=17&status=failed"
    preview = str(foreman.post(f"{ENTRIES}?{shown}", form)["Location"])
    page = text_of(foreman.read(preview))
    assert "status failed, payload customer = 17" in page
    assert "Retry 2 entries" in page
    foreman.post(preview, {"key": "a" * 32})
    operation = Operation.objects.get()
    assert sorted(pk for run in operation.runs.all() for pk in run.entry_ids) == wanted


def test_an_export_has_what_the_list_shows(chief: "User") -> None:
    EntryFactory.create(title="Mine", payload={"customer": 17})
    EntryFactory.create(title="Other", payload={"customer": 18})
    url, browser = f"{ENTRIES}export/?payload.customer=17", Browser(chief)
    assert "payload customer = 17" in text_of(browser.read(url))
    answer = browser.post(url, {"format": "csv"})
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Mine" in content
    assert "Other" not in content
