"""Pages by keyset: each begins behind the last row of the one before.

No page gets slower the further one reads, and rows that are added meanwhile move nothing.
"""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import attrgetter, or_
from typing import Any, Generic, TypeAlias, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from entries.budget import OutOfTime, time_budget

T = TypeVar("T")
M = TypeVar("M", bound=Model)
Value: TypeAlias = int | datetime | UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{32}")
_LARGEST = 2**63 - 1
#: For rows that no index finds: how long they are looked for; then among how many, how long.
BUDGET_SECONDS, WINDOW, WINDOW_SECONDS = 0.1, 20_000, 2.0


class InvalidCursor(ValueError):
    """The text is no cursor of the list it was given to."""

    def __init__(self) -> None:
        super().__init__("must be the next_cursor of a page of this list")


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place of a row in the order of a list; ``str`` gives its text, which is opaque."""

    place: tuple[Value, ...]

    def __str__(self) -> str:
        return ".".join(map(_as_text, self.place))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """``next_cursor`` is None on the last page."""

    items: list[T]
    next_cursor: Cursor | None

    @property
    def next_text(self) -> str | None:
        return None if self.next_cursor is None else str(self.next_cursor)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyset:
    """The order of a list, by columns that together are unique and all go the same way.

    ``parsers``: one for each column, from the text in a cursor to its value.
    """

    columns: tuple[str, ...]
    parsers: tuple[Callable[[str], Value], ...]
    newest_first: bool = True

    def parse(self, text: str) -> Cursor:
        """Raises ``InvalidCursor``."""
        parts = text.split(".")
        if len(parts) != len(self.parsers):
            raise InvalidCursor
        return Cursor(tuple(parse(part) for parse, part in zip(self.parsers, parts, strict=True)))

    def read(self, rows: QuerySet[M], *, cursor: Cursor | None, limit: int) -> Page[M]:
        """Read at most ``limit`` rows behind ``cursor``, or from the beginning, in one query."""
        sign = "-" if self.newest_first else ""
        ordered = rows.order_by(*(f"{sign}{column}" for column in self.columns))
        if cursor is not None:
            ordered = ordered.filter(self.behind(cursor))
        found = list(ordered[: limit + 1])
        more = len(found) > limit
        return Page(found[:limit], self.place(found[limit - 1]) if more else None)

    def behind(self, cursor: Cursor) -> Q:
        """The condition of the rows that come after the cursor's place."""
        side = "lt" if self.newest_first else "gt"
        same: dict[str, Any] = {}
        steps: list[Q] = []
        for column, value in zip(self.columns, cursor.place, strict=True):
            steps.append(Q(**same, **{f"{column}__{side}": value}))
            same[column] = value
        return reduce(or_, steps)

    def place(self, row: M) -> Cursor:
        values: Sequence[Value] = [attrgetter(column)(row) for column in self.columns]
        return Cursor(tuple(values))


def parse_id(text: str) -> int:
    """1 or more, in what a column holds. Raises ``InvalidCursor``."""
    number = parse_number(text)
    if number < 1:
        raise InvalidCursor
    return number


def parse_number(text: str) -> int:
    """0 or more, in what a column holds. Raises ``InvalidCursor``."""
    if not _DIGITS.fullmatch(text) or int(text) > _LARGEST:
        raise InvalidCursor
    return int(text)


def parse_uuid(text: str) -> UUID:
    """Raises ``InvalidCursor``."""
    if not _HEX.fullmatch(text):
        raise InvalidCursor
    return UUID(hex=text)


def parse_instant(text: str) -> datetime:
    """A time in microseconds since 1970. Raises ``InvalidCursor``."""
    try:
        return _EPOCH + timedelta(microseconds=parse_number(text))
    except OverflowError:
        raise InvalidCursor from None


def _as_text(value: Value) -> str:
    if isinstance(value, UUID):
        return value.hex
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    return str(value)


#: Lists of what is numbered as it is made.
BY_ID = Keyset(columns=("pk",), parsers=(parse_id,))


def read_within_budget(
    found: QuerySet[M], *, among: QuerySet[M], cursor: Cursor | None, limit: int
) -> Page[M]:
    """Read a page by id of rows that perhaps no index finds, in a tenth of a second.

    Where that does not suffice, only the next rows ``among`` which they are have been looked at:
    then the page may hold fewer than ``limit``, even none, and the next one begins behind these.
    Raises ``OutOfTime`` where something blocks.
    """
    with suppress(OutOfTime), time_budget(BUDGET_SECONDS):
        return BY_ID.read(found, cursor=cursor, limit=limit)
    with time_budget(WINDOW_SECONDS):
        rest = among if cursor is None else among.filter(BY_ID.behind(cursor))
        last = rest.order_by("-pk").values_list("pk", flat=True)[WINDOW - 1 : WINDOW].first()
        if last is None:
            return BY_ID.read(found, cursor=cursor, limit=limit)
        page = BY_ID.read(found.filter(pk__gte=last), cursor=cursor, limit=limit)
    return page if page.next_cursor else Page(page.items, Cursor((last,)))
