"""Cursors: any place comes through as text, and nothing else does."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db.models import Q
from hypothesis import given
from hypothesis import strategies as st

from retry.api.http.schemas import MAX_ID
from retry.api.operations.requests import OperationQuery
from retry.operations.items import ITEM_ORDER
from retry.pages import BY_ID, Cursor, InvalidCursor, Keyset, parse_id, parse_instant, parse_number

BY_TIME = OperationQuery.order
INSTANTS = st.integers(0, 4_000_000_000_000_000).map(
    lambda micros: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
)


@given(st.integers(1, MAX_ID))
def test_an_id_is_its_own_cursor(pk: int) -> None:
    assert str(Cursor((pk,))) == str(pk)
    assert BY_ID.parse(str(pk)) == Cursor((pk,))


@given(INSTANTS, st.uuids())
def test_a_time_comes_through_to_the_microsecond(instant: datetime, pk: UUID) -> None:
    cursor = Cursor((instant, pk))
    assert BY_TIME.parse(str(cursor)) == cursor


@given(st.integers(0, 1), st.integers(0, 10**9), st.uuids(), st.integers(1, MAX_ID))
def test_the_place_of_an_item_comes_through(
    part: int, position: int, run: UUID, entry: int
) -> None:
    cursor = Cursor((part, position, run, entry))
    assert ITEM_ORDER.parse(str(cursor)) == cursor


@pytest.mark.parametrize("order", [BY_ID, BY_TIME, ITEM_ORDER])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "1.",
        ".",
        "x",
        "1.2.3.4",
        f"2.1.{UUID(int=1).hex}.1",
        "٣",
        "9" * 20,
        "1 OR 1=1",
        "1.x",
        "\0",
    ],
)
def test_other_texts_are_refused(order: Keyset, text: str) -> None:
    with pytest.raises(InvalidCursor, match="next_cursor"):
        order.parse(text)


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    for order in (BY_ID, BY_TIME, ITEM_ORDER):
        try:
            cursor = order.parse(text)
        except InvalidCursor:
            continue
        assert order.parse(str(cursor)) == cursor


def test_numbers_that_no_column_holds() -> None:
    for parse, text in (
        (parse_id, "0"),
        (parse_number, str(MAX_ID + 1)),
        (parse_instant, "9" * 19),
    ):
        with pytest.raises(InvalidCursor):
            parse(text)


def test_what_comes_behind_compares_column_by_column() -> None:
    now, pk = datetime(2026, 1, 31, tzinfo=UTC), uuid4()
    older = Q(created_at__lt=now) | Q(created_at=now, pk__lt=pk)
    assert BY_TIME.behind(Cursor((now, pk))) == older
    assert BY_ID.behind(Cursor((7,))) == Q(pk__lt=7)
    oldest_first = Keyset(columns=("pk",), parsers=(parse_id,), newest_first=False)
    assert oldest_first.behind(Cursor((7,))) == Q(pk__gt=7)
