"""``GET entries``: what a page costs."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api.calls import Caller, ok
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db


def test_a_page_costs_the_same_few_queries_however_long(api: Caller) -> None:
    EntryFactory.create_batch(2, source=SourceFactory.create())
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            ok(api.get("entries"))
        counts.append(len(captured))
        EntryFactory.create_batch(5, source=SourceFactory.create())
    assert counts[0] == counts[1]


def test_the_page_does_not_read_payloads(api: Caller) -> None:
    EntryFactory.create(payload={"x": "y" * 100})
    with CaptureQueriesContext(connection) as captured:
        ok(api.get("entries"))
    pages = [q["sql"] for q in captured if 'FROM "entries_entry"' in q["sql"]]
    assert pages
    assert not any("payload" in page for page in pages)
