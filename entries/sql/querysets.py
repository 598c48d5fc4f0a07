"""A queryset as a part of a larger statement."""

from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet


def as_sql(found: QuerySet[Any, Any]) -> tuple[str, dict[str, Any]]:
    """Compile a queryset as part of a larger statement, with its values by name."""
    # Without this Django raises for a queryset that is known to be empty.
    compiler = found.query.get_compiler(DEFAULT_DB_ALIAS, elide_empty=False)
    text, positional = compiler.as_sql()
    named = {f"s{number}": value for number, value in enumerate(positional)}
    if named:
        # A percent sign stays doubled.
        text = text.replace("%%", "%%%%") % tuple(f"%({name})s" for name in named)
    return text, named
