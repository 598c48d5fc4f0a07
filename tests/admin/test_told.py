"""What pages tell of holds and counts is for those who may see holds and entries."""

from typing import TYPE_CHECKING

import pytest

from retry.holds import control
from tests.admin.browsing import Browser, page_of, text_of
from tests.api.calls import Caller, ok
from tests.conftest import grant
from tests.factories.entries import EntryFactory, SourceFactory
from tests.support.asking import SCRIPT
from tests.support.hiding import only_source

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)
REASON = "the SECRET reason"


@pytest.fixture(autouse=True)
def _held() -> None:
    control.hold_kind("page", actor=SCRIPT, reason=REASON)
    EntryFactory.create_batch(3, scheduled=True)


def test_a_banner_gives_no_reason_to_who_may_not_see_holds(powerless: "User") -> None:
    words = text_of(Browser(powerless).read("/admin/"))
    assert "Kind page is on hold." in words
    assert "SECRET" not in words
    assert "scheduled" not in words


def test_it_counts_nothing_for_who_may_not_see_entries(powerless: "User") -> None:
    powerless = grant(powerless, "retry.view_hold")
    words = text_of(Browser(powerless).read("/admin/"))
    assert REASON in words
    assert "3 scheduled" not in words
    assert "3 scheduled" not in Browser(powerless).read("/admin/retry/hold/")
    with only_source("none"):
        user = grant(powerless, "retry.view_hold", "entries.view_entry")
        assert "3 scheduled" not in text_of(Browser(user).read("/admin/"))


def test_it_says_all_to_who_may(powerless: "User") -> None:
    user = grant(powerless, "retry.view_hold", "entries.view_entry")
    words = text_of(Browser(user).read("/admin/"))
    assert REASON in words
    assert "3 scheduled entries wait" in words


def test_the_page_of_a_source(powerless: "User") -> None:
    source = SourceFactory.create(entry_kind="page")
    looker = grant(powerless, "entries.view_source")
    assert "SECRET" not in Browser(looker).read(page_of(source))
    assert "SECRET" in Browser(grant(looker, "retry.view_hold")).read(page_of(source))


def test_the_status_of_the_desk(powerless: "User") -> None:
    watcher = grant(powerless, "retry.view_status")
    found = ok(Caller(watcher).get("status"))
    assert (found["entries"], found["holds"][0]["reason"]) == (None, "")
    assert "SECRET" not in Browser(watcher).read("/admin/retry/status/")
    found = ok(Caller(grant(watcher, "retry.view_hold", "entries.view_entry")).get("status"))
    assert (found["entries"]["scheduled"], found["holds"][0]["reason"]) == (3, REASON)
