"""One parser for every time that somebody writes, and one error for what is none."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from entries.filters import EntryFilter
from entries.moments import InvalidMoment, parse_moment

NO_TIMES: list[Any] = [
    "2026-01-31T12:00:00+16:00",
    "2026-01-31T12:00:00-15:30",
    "2026-01-31T12:00:00+14:01",
    "2026-01-31T12:00:00+99:99",
    "2026-01-31T12:00:00",  # of no zone
    "2026-01-31",
    "0000-01-01T00:00:00Z",
    "99999-01-01T00:00:00Z",
    "-2026-01-31T12:00:00Z",
    "2026-01-31T24:00:00Z",
    "2026-01-31T23:59:60Z",
    "2026-02-30T12:00:00Z",
    "2026-13-01T12:00:00Z",
    "2026-01-31T12:00:00.Z",
    "2026-01-31T12:00:00,5Z",
    "2026-01-31 12:00:00Z",
    "2026-01-31T12:00:00 02:00",  # a plus in an address
    "2026-W05-6T12:00:00Z",
    "20260131T120000Z",
    "\uff12026-01-31T12:00:00Z",
    "2026-01-31T12:00:00Z\n",
    "yesterday",
    "1769860800",
    "",
    "\0",
    1769860800,
    1769860800.5,
    True,
    None,
    [],
    {},
]


@pytest.mark.parametrize("value", NO_TIMES, ids=repr)
def test_what_is_no_time(value: object) -> None:
    with pytest.raises(InvalidMoment, match="must be a time with its time zone, such as 2026"):
        parse_moment(value)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00:00.000000000Z",
        "2026-01-31T13:00:00+01:00",
        "2026-01-31T13:00:00+0100",
        "2026-02-01T02:00:00+14:00",
        "2026-01-30T22:00:00-14:00",
    ],
)
def test_the_same_time_written_differently(text: str) -> None:
    assert parse_moment(text) == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_who_says_which_zone_is_meant_may_leave_it_out() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert parse_moment("2026-01-31T13:00", zone=zone) == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert parse_moment("2026-07-31", zone=zone) == datetime(2026, 7, 30, 22, tzinfo=UTC)
    assert parse_moment("2026-01-31T12:00:00Z", zone=zone).utcoffset() == timedelta(0)
    with pytest.raises(InvalidMoment):
        parse_moment("2026-01-31T24:00", zone=zone)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with suppress(InvalidMoment):
        assert parse_moment(text).tzinfo is not None


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))


@given(st.datetimes(timezones=ZONES))
def test_what_a_filter_keeps_it_reads_again(moment: datetime) -> None:
    kept = EntryFilter(failed_after=moment)
    assert EntryFilter.from_data(kept.data()) == kept
