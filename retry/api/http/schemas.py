"""What the schemas of all resources are made of. Strict: a string is no number, an unknown field is
an error.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, ClassVar, TypeVar, cast

from django.db.models import Model, QuerySet
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.fields import FieldInfo

from entries.moments import parse_moment
from retry.api.http.cursors import parse_cursor, sign_cursor
from retry.pages import BY_ID, Cursor, Keyset, Page

M = TypeVar("M", bound=Model)

MAX_ID = 2**63 - 1
_NUMBER = re.compile(r"[0-9]{1,19}")


def _check_storable(value: str) -> str:
    """PostgreSQL stores any text without NUL; pydantic refuses lone surrogates before this."""
    if "\x00" in value:
        raise ValueError("must not contain NUL characters")
    return value


def check_digits(value: str) -> str:
    """For query strings; pydantic would also accept ``1_000``, `` 7`` and ``7.0``."""
    if not _NUMBER.fullmatch(value):
        raise ValueError("must be a whole number")
    return value


STORABLE = AfterValidator(_check_storable)
EntryId = Annotated[int, Field(gt=0, le=MAX_ID)]
KindName = Annotated[str, Field(min_length=1, max_length=50), STORABLE]
SourceSlug = Annotated[str, Field(min_length=1, max_length=80), STORABLE]
UpstreamName = Annotated[str, Field(min_length=1, max_length=200), STORABLE]
ReasonText = Annotated[str, Field(max_length=500), STORABLE]
Moment = Annotated[
    datetime,
    PlainValidator(parse_moment),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="validation"),
]


def describe_choices(values: Iterable[str], *more: str) -> FieldInfo:
    """Say in the document what the text is one of."""
    named: list[JsonValue] = [*more, *(str(value) for value in values)]
    return cast("FieldInfo", Field(json_schema_extra={"enum": named}))


class Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ReasonRequest(Request):
    """The body of a verb that takes nothing but a reason."""

    reason: ReasonText = ""


class Response(BaseModel):
    model_config = ConfigDict(frozen=True)


class Query(BaseModel):
    """A query string: every value arrives as text, so this cannot be strict."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NoQuery(Query):
    """Parameters where none are known are refused: the caller meant something by them."""


class PageQuery(Query):
    """``cursor``: the ``next_cursor`` of the page before. ``order``: of the list."""

    order: ClassVar[Keyset] = BY_ID

    cursor: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    limit: Annotated[int, Field(ge=1, le=500), BeforeValidator(check_digits)] = 100

    def read(self, rows: QuerySet[M]) -> Page[M]:
        return self.order.read(rows, cursor=self.place(), limit=self.limit)

    def place(self, *of: object) -> Cursor | None:
        """Return where the page begins. ``of``: what stands in the path of the list.

        Raises ``Problem`` 422 for a cursor of another list or filter.
        """
        return parse_cursor(self.cursor, self.order, bound_to=self._bind(of))

    def sign(self, cursor: Cursor | None, *of: object) -> str | None:
        """Return the text of the next cursor; ``of`` as for ``place``."""
        return sign_cursor(cursor, bound_to=self._bind(of))

    def _bind(self, of: tuple[object, ...]) -> list[str]:
        chosen = self.model_dump(exclude={"cursor", "limit"}, exclude_none=True)
        return [type(self).__name__, *map(str, of), *map(repr, sorted(chosen.items()))]
