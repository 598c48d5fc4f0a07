"""The filter: each field is declared once, and comes through as data, text and words."""

import argparse
from datetime import UTC, datetime
from typing import Any

import pytest

from entries.filters import CRITERIA, EntryFilter
from entries.states import EntryStatus
from retry.api.http.filters import FilterQuery, FilterRequest
from retry.management.commands import resync, retry

GIVEN: dict[str, Any] = {
    "status": EntryStatus.FAILED,
    "kind": "page",
    "source": "news",
    "upstream": "page.example",
    "fingerprint": "1-a",
    "exclude_fingerprints": ("1-b", "1-c"),
    "error_class": "TransientError",
    "q": "time-out",
    "ids": (41, 42),
    "external_id": "order-17",
    "updated_after": datetime(2026, 1, 30, tzinfo=UTC),
    "failed_after": datetime(2026, 1, 31, tzinfo=UTC),
    "failed_before": datetime(2026, 2, 1, tzinfo=UTC),
    "failed_within": "24h",
    "received_after": datetime(2026, 1, 29, tzinfo=UTC),
    "received_before": datetime(2026, 2, 2, tzinfo=UTC),
    "received_within": "7d",
    "gone": "no",
    "payload": {"customer": (17, "17"), "links.0.href": ("http://page.example/",)},
}


def test_every_field_is_tried_here() -> None:
    assert GIVEN.keys() == CRITERIA.keys()


@pytest.mark.parametrize("name", CRITERIA)
def test_a_field_means_the_same_everywhere(name: str) -> None:
    wanted = EntryFilter(**{name: GIVEN[name]})
    data, parameters = wanted.data(), wanted.parameters()
    assert EntryFilter.from_data(data) == wanted
    assert EntryFilter.from_data(parameters) == wanted
    assert FilterQuery.model_validate(parameters).as_filter() == wanted
    assert FilterRequest.model_validate(data, strict=False).as_filter() == wanted
    assert wanted.explicit == (name != "exclude_fingerprints"), "what is left out narrows nothing"
    assert wanted.condition()


@pytest.mark.parametrize("command", [retry.Command(), resync.Command()])
@pytest.mark.parametrize("name", CRITERIA)
def test_every_field_is_an_option(command: Any, name: str) -> None:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    given = EntryFilter(**{name: GIVEN[name]}).parameters()
    arguments = [
        text
        for parameter, value in given.items()
        for text in (
            ("--payload", f"{parameter.removeprefix('payload.')}={value}")
            if name == "payload"
            else (f"--{name.replace('_', '-')}", value)
        )
    ]
    options = vars(parser.parse_args(arguments))
    chosen = command.selection(options | {"all": False}).filter
    assert getattr(chosen, name) == GIVEN[name]


def test_lists_offer_what_can_be_clicked() -> None:
    beside = {name for name, criterion in CRITERIA.items() if not criterion.listed}
    assert beside == {"q", "exclude_fingerprints", "ids", "external_id", "updated_after"}


def test_all_of_it_in_words() -> None:
    assert EntryFilter(**GIVEN).words() == (
        "status failed, kind page, source news, upstream page.example, fingerprint 1-a, "
        "fingerprint not 1-b or 1-c, "
        "error class TransientError, “time-out” in id, title or error, "
        "id 41 / 42, external id order-17, updated after 2026-01-30 00:00 UTC, "
        "failed after 2026-01-31 00:00 UTC, failed before 2026-02-01 00:00 UTC, "
        "failed in the last 24 hours, received after 2026-01-29 00:00 UTC, "
        "received before 2026-02-02 00:00 UTC, received in the last 7 days, still in the source, "
        "payload customer = 17, payload links.0.href = http://page.example/"
    )
    assert EntryFilter(gone="yes").words() == "gone from the source"
    assert EntryFilter(q="#7").words() == "entry #7"
    assert EntryFilter().words() == EntryFilter(all=True).words() == "every entry"


@pytest.mark.parametrize(
    "data",
    [
        {"status": "odd"},
        {"gone": "perhaps"},
        {"failed_after": 7},
        {"failed_within": "1w"},
        {"failed_within": "0h"},
        {"failed_within": 24},
        {"exclude_fingerprints": ""},
        {"exclude_fingerprints": []},
        {"exclude_fingerprints": "1-b,,1-c"},
        {"exclude_fingerprints": [7]},
        {"exclude_fingerprints": [f"1-{n}" for n in range(101)]},
        {"ids": ""},
        {"ids": "41,,42"},
        {"ids": [0]},
        {"ids": [True]},
        {"ids": list(range(1, 502))},
        {"payload": "customer=17"},
        {"payload": {}},
        {"payload": {"a..b": 1}},
        {"payload.a": ""},
        {"payload.": "1"},
    ],
)
def test_other_values_are_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each field words its own
        EntryFilter.from_data(data)


def test_other_names_are_refused() -> None:
    with pytest.raises(TypeError):
        EntryFilter.from_data({"colour": "red"})
