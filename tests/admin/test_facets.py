"""Counts beside the values of filters: of the lists that they lead to, and of what may be seen."""

import html
import re
from typing import TYPE_CHECKING

import pytest
from django.db.models import QuerySet

from entries.lists import counts
from retry.admin.entries import facets as facet_counts
from tests.admin.browsing import ENTRIES, Browser
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """How quick this machine is does not matter here."""
    monkeypatch.setattr(facet_counts, "SECONDS", 60.0)
    monkeypatch.setattr(counts, "BUDGET_SECONDS", 60.0)


def facets(browser: Browser, query: str = "") -> dict[str, str]:
    answer = browser.get(f"{ENTRIES}facets/?{query}")
    assert answer.status_code == 200
    found: dict[str, str] = answer.json()
    return found


def links(browser: Browser, query: str) -> set[str]:
    page = browser.read(f"{ENTRIES}?{query}").split('id="changelist-filter"')[1]
    return {html.unescape(href) for href in re.findall(r'<li[^>]*>\s*<a href="([^"]*)"', page)}


@pytest.fixture
def made() -> None:
    planet = SourceFactory.create(slug="planet")
    EntryFactory.create_batch(3, failed=True, source=planet)
    EntryFactory.create_batch(2, failed=True, kind="scripted", error_class="ValueError")
    EntryFactory.create(succeeded=True, source=planet, title="needle")
    EntryFactory.create(succeeded=True, source=None)


@pytest.mark.usefixtures("made")
@pytest.mark.parametrize(
    "query", ["", "status=failed", "source=planet", "q=needle", "payload.url=x", "sort=oldest"]
)
def test_a_count_is_that_of_the_list_behind_the_link(query: str, at_desk: Browser) -> None:
    found = facets(at_desk, query)
    assert found.keys() <= links(at_desk, query)
    assert len(found) > 15
    for link, count in found.items():
        shown = at_desk.get(f"{ENTRIES}{link}").context["cl"].result_count
        assert count == str(shown), link


@pytest.mark.usefixtures("made")
def test_counts_stop_and_say_so(at_desk: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST", 2)
    found = facets(at_desk)
    assert found["?kind=page"] == "2+"
    assert found["?kind=scripted"] == "2"
    assert found["?status=failed"] == "5", "statuses and sources are counted exactly"
    assert found["?source=planet"] == "4"


@pytest.mark.usefixtures("made")
def test_what_takes_too_long_has_no_count(
    at_desk: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(found: list[QuerySet]) -> None:  # type: ignore[type-arg]
        return None

    monkeypatch.setattr("entries.lists.count_each", slow)
    found = facets(at_desk)
    assert "?kind=page" not in found
    assert found["?status=failed"] == "5", "takes no time"


@pytest.mark.usefixtures("made")
def test_what_is_hidden_is_not_counted(at_desk: Browser) -> None:
    with only_source("none"):
        assert set(facets(at_desk).values()) == {"0"}


def test_a_filter_costs_one_statement(at_desk: Browser, django_assert_max_num_queries) -> None:  # type: ignore[no-untyped-def]
    for number in range(12):
        EntryFactory.create(
            failed=True, source=SourceFactory.create(), error_class=f"Error{number}",
            payload={"url": f"http://h{number}.example/"},
        )  # fmt: skip
    facets(at_desk)
    with django_assert_max_num_queries(60):
        assert len(facets(at_desk)) > 40


@pytest.mark.parametrize(
    "query", ["title__regex=x", "status=odd", "p=99", "q=%00", "failed_within=x"]
)
def test_odd_addresses_have_no_counts_and_no_errors(query: str, at_desk: Browser) -> None:
    assert at_desk.get(f"{ENTRIES}facets/?{query}").status_code in {200, 400}


def test_what_is_wrong_with_an_address_is_said_on_its_own_page_only(at_desk: Browser) -> None:
    """A request for counts, an action and an export show no page on which it could stand."""
    said = "There is no status"
    assert at_desk.read(f"{ENTRIES}?status=odd").count(said) == 1
    facets(at_desk, "status=odd")
    at_desk.post(f"{ENTRIES}?status=odd&failed_within=x&payload.a=", {"action": "retry_selected"})
    assert said not in at_desk.read(ENTRIES)


def test_not_for_who_sees_no_entries(powerless: "User") -> None:
    assert Browser(powerless).get(f"{ENTRIES}facets/").status_code == 403
