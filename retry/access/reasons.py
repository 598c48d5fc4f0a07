"""The search for reasons: entries that were put to work for a reason that contains a text.

Reasons of the newest operations and of the newest runs without one are looked at. Of an operation
the reason may name any of its entries, so it counts where the whole operation may be seen.
"""

import re
from collections.abc import Sequence
from typing import Any

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


def search_reasons(text: str, *, scope: Scope, near: bool) -> Q:
    """Build the condition, as ``entries.reasons.ReasonSearch`` describes it."""
    tried = Q(_ReasonMatch("tried", text, scope))
    return tried if near else Q(_ReasonMatch("handed", text, scope)) & tried


class _ReasonMatch(Expression):
    """A statement of the file as a condition of entries."""

    def __init__(self, statement: str, text: str, scope: Scope) -> None:
        super().__init__(output_field=BooleanField())
        self.entry: Any = F("pk")
        self.statement = statement
        self.text = text
        self.scope = scope

    def get_source_expressions(self) -> list[Any]:
        return [self.entry]

    def set_source_expressions(self, exprs: Sequence[Any]) -> None:
        [self.entry] = exprs

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        column, _params = compiler.compile(self.entry)
        known = {
            "pattern": f"%{connection.ops.prep_for_like_query(self.text)}%",
            "operations": OPERATIONS,
            "runs": RUNS,
            "whole": [*self.scope.source_ids, *((NO_SOURCE,) if self.scope.sourceless else ())],
            **self.scope.as_params(),
        }
        sql = _SQL[self.statement]
        params = tuple(known[name] for name in _NAMED.findall(sql))
        return f"{column} {_NAMED.sub('%s', sql)}", params
