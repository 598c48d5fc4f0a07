"""From a list to a filter, from a selection to an address and back; never wider than it was."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.http import QueryDict

from entries.admin import EntryAdmin
from entries.filters import EntryFilter
from entries.states import EntryStatus
from retry.admin.operations.address import Proposal, get_preview_url, parse_proposal
from retry.admin.shared.entry_list import parse_list_filter
from retry.admin.shared.selection import SelectionRefused
from retry.models import Action
from retry.operations.selection import Selection


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("", EntryFilter(all=True)),
        ("p=3&all=&o=1&e=1&_facets=True", EntryFilter(all=True)),
        ("status=failed&p=2", EntryFilter(status=EntryStatus.FAILED)),
        ("kind=page&source=planet", EntryFilter(kind="page", source="planet")),
        ("error_class=ValueError", EntryFilter(error_class="ValueError")),
        ("kind=webhook&upstream=crm", EntryFilter(kind="webhook", upstream="crm")),
        (
            "status=failed&fingerprint=1-a",
            EntryFilter(status=EntryStatus.FAILED, fingerprint="1-a"),
        ),
        ("q=+50%25+off+&kind=page", EntryFilter(q="50% off", kind="page")),
        ("gone=yes&source=planet", EntryFilter(gone="yes", source="planet")),
        ("q=&status=queued", EntryFilter(status=EntryStatus.QUEUED)),
        (
            "payload.customer=17&payload.links.0=%22a%22&kind=page",
            EntryFilter(kind="page", payload={"customer": (17, "17"), "links.0": ("a",)}),
        ),
    ],
)
def test_a_list_becomes_the_filter_that_finds_the_same(shown: str, expected: EntryFilter) -> None:
    assert parse_list_filter(QueryDict(shown)) == expected


@pytest.mark.parametrize(
    "shown",
    [
        "source=",  # entries without a source: a filter cannot say it
        "status=",
        "status=nonsense",
        "gone=nonsense",
        "kind=%00",
        "q=%00",
        "q=a&q=b",
        "payload=customer%3D17",  # as it is typed, before it is a filter
        "payload.=17",
        "payload.a..b=17",
        "payload.a=",
        "payload.a=%00",
        "payload.a=1&payload.a=2",
        "&".join(f"payload.p{number}=1" for number in range(6)),
        "fingerprint=a&fingerprint=b",  # a list shows both
        "status=failed&status=queued",
        "failed_at__gte=2026-01-01",
        "status=failed&new_filter=1",
        "_changelist_filters=x",
    ],
)
def test_what_a_filter_cannot_say_is_refused(shown: str) -> None:
    with pytest.raises(SelectionRefused, match="Nothing was changed"):
        parse_list_filter(QueryDict(shown))


def test_every_filter_of_the_list_can_be_carried_over() -> None:
    """One that is added to the list is refused until it is, and this says so."""
    path = "payload.customer"
    offered = {getattr(item, "parameter_name", path) for item in EntryAdmin.list_filter}
    for name in offered | EntryAdmin.link_parameters:
        value = "yes" if name == "gone" else "failed"
        assert parse_list_filter(QueryDict(f"{name}={value}")).explicit


@pytest.mark.parametrize(
    "selection",
    [
        Selection(filter=EntryFilter(all=True)),
        Selection(filter=EntryFilter(status=EntryStatus.FAILED, fingerprint="1-a&b=c")),
        Selection(filter=EntryFilter(gone="no", kind="page")),
        Selection(filter=EntryFilter(q="ü & <b>", failed_after=datetime(2026, 1, 2, tzinfo=UTC))),
        Selection(filter=EntryFilter(payload={"a b.ü": (17, "17"), "c=&d": ("17", 18, None)})),
        Selection(failed_of=UUID(int=7)),
    ],
)
@pytest.mark.parametrize("action", Action)
def test_an_address_says_what_the_selection_said(selection: Selection, action: Action) -> None:
    query = get_preview_url(action, selection, reason="why & how").partition("?")[2]
    assert parse_proposal(QueryDict(query)) == Proposal(action, selection)
    assert QueryDict(query)["reason"] == "why & how"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "action=retry",
        "action=explode&status=failed",
        "action=retry&status=nonsense",
        "action=retry&all=false",
        "action=retry&all=true&status=failed",
        "action=retry&failed_of=7",
        "action=retry&status=failed&status=queued",
        "action=retry&status=failed&nonsense=1",
        "action=retry&kind=",
        "action=retry&kind=%00",
        "action=retry&payload.a..b=17",
        "action=retry&payload=customer%3D17",
        "action=retry&all=true&payload.customer=17",
        "action=retry&failed_after=yesterday",
        "action=retry&failed_after=2026-01-02T00:00:00",  # of no time zone
    ],
)
def test_an_address_that_says_nothing_clear_is_refused(query: str) -> None:
    with pytest.raises(SelectionRefused, match="Nothing was changed"):
        parse_proposal(QueryDict(query))
