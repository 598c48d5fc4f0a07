"""The request and the response on an entry's page."""

from typing import Any

import pytest

from entries.admin.exchange import find_exchange
from entries.models import Attempt
from tests.admin.browsing import Browser, page_of, text_of
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db

EVIL = "<script>alert('evil')</script>"


def exchange(**changes: Any) -> dict[str, Any]:
    return {
        "endpoint": "billing",
        "request": {
            "method": "POST",
            "url": "https://billing.example/hooks",
            "headers": {"webhook-id": "redrive-entry-7-ab", "webhook-signature": "***"},
            "body": '{"invoice":"b-7"}',
        },
        "response": {
            "status": 503,
            "headers": {"retry-after": "30"},
            "body": "upstream is busy",
            "cut": True,
        },
        "elapsed_ms": 1234,
    } | changes


def test_request_and_response_are_shown_readably(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    Attempt.objects.update(result=exchange(), traceback="Traceback")
    page = at_desk.read(page_of(entry))
    words = text_of(page)
    for shown in (
        "POST https://billing.example/hooks",
        "webhook-id redrive-entry-7-ab",
        "webhook-signature ***",
        '"invoice": "b-7"',
        "HTTP 503",
        "retry-after 30",
        "upstream is busy",
        "Only the beginning was stored.",
        "Endpoint billing 1,234 ms",
    ):
        assert shown in words, shown
    assert '<details class="exchange" open>' in page
    assert "<details><summary>Traceback" in page, "it steps back behind the exchange"


def test_a_request_without_an_answer_says_so(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    Attempt.objects.update(result=exchange(response=None))
    words = text_of(at_desk.read(page_of(entry)))
    assert "Request without response" in words
    assert "No response." in words


def test_a_delivery_that_succeeded_is_shown_once(at_desk: Browser) -> None:
    entry = EntryFactory.create(succeeded=True, result=exchange())
    Attempt.objects.update(result=exchange())
    page = at_desk.read(page_of(entry))
    assert page.count("upstream is busy") == 1
    assert "<summary>Result" not in page


def test_what_else_a_failed_attempt_knows_is_shown_as_json(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    Attempt.objects.update(result={"rows": 7, "last": EVIL})
    page = at_desk.read(page_of(entry))
    assert "Error details" in page
    assert "&quot;rows&quot;: 7" in page
    assert "<script>alert" not in page


def test_whatever_comes_from_outside_is_shown_as_text(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    half = {"headers": {EVIL: EVIL}, "body": EVIL}
    told = exchange(
        endpoint=EVIL,
        request=half | {"method": EVIL, "url": EVIL},
        response=half | {"status": EVIL},
    )
    Attempt.objects.update(result=told)
    page = at_desk.read(page_of(entry))
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;") >= 10


@pytest.mark.parametrize(
    "result",
    [
        *(None, [], "x", 7, {}, {"request": {}}, {"response": None}, {"request": 1, "response": 2}),
        *({"request": {}, "response": "x"}, {"request": [], "response": {}}),
    ],
)
def test_what_is_no_exchange_is_none(result: Any) -> None:
    assert find_exchange(result) is None


@pytest.mark.parametrize(
    "half",
    [
        {},
        {"headers": [1], "body": None, "method": 1, "url": None, "status": None},
        {"headers": {"a": {"b": 1}}, "body": {"c": [1]}},
        {"body": "[" * 2_000},
    ],
)
def test_an_exchange_of_any_shape_is_shown(half: dict[str, Any], at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True)
    Attempt.objects.update(result={"request": half, "response": half, "elapsed_ms": "soon"})
    assert "Request and response" in at_desk.read(page_of(entry))
