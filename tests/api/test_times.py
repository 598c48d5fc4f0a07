"""A time that is none is an ``invalid_request`` at each place that takes one, never a 500."""

from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest

from retry.models import Operation
from tests.admin.browsing import Browser
from tests.api.calls import Caller, fields, ok
from tests.unit.test_moments import NO_TIMES

pytestmark = pytest.mark.django_db
WORDS = "must be a time with its time zone, such as 2026-01-31T12:00:00Z"
FILTERED = ("retry/bulk", "retry/now", "retry/stop", "resync", "discard", "restore")


@pytest.mark.parametrize("name", ["failed_after", "failed_before"])
@pytest.mark.parametrize("value", [v for v in NO_TIMES if v is not None], ids=repr)
def test_in_a_body(api: Caller, name: str, value: Any) -> None:
    for path in FILTERED:
        said = fields(api.post(path, {"filter": {name: value}, "dry_run": True}))
        assert said[f"filter.{name}"].startswith(WORDS)
    assert not Operation.objects.exists()


@pytest.mark.parametrize("name", ["failed_after", "failed_before"])
@pytest.mark.parametrize("value", [v for v in NO_TIMES if isinstance(v, str)], ids=repr)
def test_in_a_query(api: Caller, name: str, value: str) -> None:
    assert fields(api.get("entries", **{name: value}))[name].startswith(WORDS)


@pytest.mark.parametrize("value", [v for v in NO_TIMES if isinstance(v, str)], ids=repr)
def test_in_an_address_of_the_admin(operator: Any, value: str) -> None:
    query = urlencode({"action": "retry", "failed_after": value})
    browser = Browser(operator)
    answer = browser.get(f"/admin/retry/operation/preview/?{query}")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/entries/entry/")
    if value.strip("\0"):
        assert WORDS in browser.messages_after(answer)[0]
    listed = browser.get(f"/admin/entries/entry/?{urlencode({'failed_after': value})}")
    assert listed.status_code == 200
    assert "nothing is listed" in unescape(listed.content.decode())


def test_a_time_in_a_body_means_what_it_says(api: Caller) -> None:
    for path in FILTERED:
        body = {"filter": {"failed_after": "2026-01-31T12:00:00+14:00"}}
        ok(api.post(path, body), 202)
    kept = Operation.objects.values_list("selection__filter__failed_after", flat=True)
    assert set(kept) == {"2026-01-31T12:00:00+14:00"}


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_the_ends_of_time(api: Caller, edge: str) -> None:
    ok(api.post("retry/bulk", {"filter": {"failed_after": edge, "failed_before": edge}}), 202)
