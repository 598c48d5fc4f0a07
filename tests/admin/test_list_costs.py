"""What a list costs: a known number of queries, and nothing that grows with its rows."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from entries.admin.lists import BoundedAdmin
from entries.models import Entry, Source
from retry import audit
from retry.models import Hold, Import, Operation, Run, Sync
from tests.admin.browsing import ENTRIES, Browser
from tests.factories.entries import EndpointFactory, EntryFactory, SourceFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db
BY = {"actor_label": "somebody <b>"}


def make_run(number: int) -> None:
    Run.objects.create(
        **BY, trigger="retry", kind="page", queue="default", entry_ids=[number], size=1,
        state="finished", succeeded=1,
    )  # fmt: skip


def make_intake(number: int, model: Any, **fields: Any) -> None:
    model.objects.create(**BY, state="succeeded", created=number, total=number, **fields)


#: Address -> the most queries that its page may take, and how to make one more row. Four of the
#: queries keep the count of its rows within its time.
LISTS: Mapping[str, tuple[int, Callable[[int], object]]] = {
    "entries/entry/": (
        20,
        lambda _: EntryFactory.create(
            failed=True, source=SourceFactory.create(), gone_at=timezone.now()
        ),
    ),
    "entries/source/": (15, lambda _: SourceFactory.create(last_synced_at=timezone.now())),
    "entries/endpoint/": (15, lambda _: EndpointFactory.create()),
    "retry/run/": (15, make_run),
    "retry/operation/": (
        16,
        lambda n: Operation.objects.create(**BY, action="retry", selection_words="all", total=n),
    ),
    "retry/sync/": (
        16,
        lambda n: make_intake(n, Sync, source=SourceFactory.create()),
    ),
    "retry/import/": (
        15,
        lambda n: make_intake(n, Import, file_name="a.csv", file_format="csv", kind="page"),
    ),
    "retry/auditevent/": (
        16,
        lambda n: audit.record("retry", actor=SCRIPT, count=1, entry_id=n),
    ),
    "retry/hold/": (
        17,
        lambda n: Hold.objects.create(**BY, kind=f"kind-{n}", lifted_at=timezone.now()),
    ),
}


@pytest.mark.parametrize("address", LISTS)
def test_a_row_costs_neither_query_nor_template(
    address: str, chief: "User", django_assert_max_num_queries: Any
) -> None:
    most, make = LISTS[address]
    browser = Browser(chief)
    costs = []
    for number in range(8):
        make(number)
        if number in {1, 7}:
            cache.clear()
            with django_assert_max_num_queries(most) as queries:
                answer = browser.get(f"/admin/{address}")
            assert len(answer.context["cl"].result_list) == number + 1
            costs.append((len(queries), len(answer.templates)))
    few, many = costs
    assert few == many


@pytest.mark.parametrize("address", ["entries/entry/", "retry/hold/"])
def test_holds_are_counted_together(address: str, chief: "User") -> None:
    """On every page, and each on the page of holds."""
    browser = Browser(chief)
    costs = set()
    for number in range(8):
        source: Source = SourceFactory.create()
        EntryFactory.create_batch(number, scheduled=True, source=source)
        Hold.objects.create(**BY, source=source)
        if number in {5, 7}:  # more than have a line at the top of a page
            cache.clear()
            with CaptureQueriesContext(connection) as queries:
                page = browser.read(f"/admin/{address}")
            assert "1 scheduled entry waits." in page
            costs.add(len(queries))
    assert len(costs) == 1


NASTY = "<script>alert('evil')</script> & \u202e \"x\""


def test_the_checkbox_is_the_one_of_django() -> None:
    entry = EntryFactory.create(title=NASTY)
    page = cast("BoundedAdmin[Entry]", admin.site.get_model_admin(Entry))
    django = super(BoundedAdmin, page).action_checkbox(entry)
    assert page.action_checkbox(entry) == django


@pytest.mark.parametrize("address", LISTS)
@pytest.mark.parametrize("order", ["o=1.2.3", "o=-2.-1", "o=x", "o=99"])
def test_no_address_sorts_by_other_columns(address: str, order: str, chief: "User") -> None:
    make = LISTS[address][1]
    for number in range(3):
        make(number)
    browser = Browser(chief)
    usual, other = (browser.get(f"/admin/{address}{query}") for query in ("", f"?{order}"))
    assert other.status_code == 200
    assert (
        other.context["cl"].queryset.query.order_by == usual.context["cl"].queryset.query.order_by
    )
    assert list(other.context["cl"].result_list) == list(usual.context["cl"].result_list)


def test_rows_keep_the_filters_of_the_list(at_desk: Browser) -> None:
    entry = EntryFactory.create(failed=True, title=NASTY)
    page = at_desk.read(f"{ENTRIES}?status=failed&q=evil")
    assert f'{entry.pk}/change/?_changelist_filters=status%3Dfailed%26q%3Devil"' in page
