"""The search for reasons: entries that something was asked for, for a reason with a text in it.

Reasons of the newest operations, and of the newest runs without one, are looked at. The reason of
an operation may name any of its entries, so it counts where the whole operation may be seen.
"""

import re
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Expression, F, Q
from django.db.models.sql.compiler import SQLCompiler

from entries.models import Scope
from entries.sql import load
from retry.access.records import NO_SOURCE

#: Whose reasons are looked at, the newest that have one.
OPERATIONS = 1_000
RUNS = 5_000

_SQL = load(__file__)
_NAMED = re.compile(r"%\(([a-z]+)\)s")


class ReasonSearch:
    """What ``entries.reasons`` asks for."""

    def build(self, text: str, *, scope: Scope, low: int = 0, high: int | None = None) -> Q:
        params = _list_params(text, scope) | {"low": low, "high": high}
        return Q(_ReasonMatch(_SQL["asked_for"], params))

    def find_ids(self, text: str, *, scope: Scope, most: int) -> Sequence[int]:
        with connection.cursor() as cursor:
            cursor.execute(_SQL["find_newest"], _list_params(text, scope) | {"most": most})
            return [id_ for (id_,) in cursor.fetchall()]


def _list_params(text: str, scope: Scope) -> dict[str, Any]:
    return {
        "pattern": f"%{connection.ops.prep_for_like_query(text)}%",
        "operations": OPERATIONS,
        "runs": RUNS,
        "whole": [*scope.source_ids, *((NO_SOURCE,) if scope.sourceless else ())],
        **scope.as_params(),
    }


class _ReasonMatch(Expression):
    """Whether an entry is among those that a statement finds."""

    def __init__(self, statement: str, params: dict[str, Any]) -> None:
        super().__init__(output_field=BooleanField())
        self.entry: Any = F("pk")
        self.statement = statement
        self.params = params

    def get_source_expressions(self) -> list[Any]:
        return [self.entry]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        [self.entry] = exprs

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        """Django binds values by their place."""
        column, _params = compiler.compile(self.entry)
        params = tuple(self.params[name] for name in _NAMED.findall(self.statement))
        return f"{column} IN ({_NAMED.sub('%s', self.statement)})", params
