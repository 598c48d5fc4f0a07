"""Triggers as the models of entries have them."""

import pgtrigger


def after_statement(
    name: str, operation: pgtrigger.Operation, func: str, *, old: bool = False, new: bool = False
) -> pgtrigger.Trigger:
    """Run ``func`` once after each such statement, however many rows it had.

    ``old``, ``new``: it reads the rows as they were or are, as ``old_rows`` and ``new_rows``.
    """
    rows = {"old": "old_rows"} if old else {}
    rows |= {"new": "new_rows"} if new else {}
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=pgtrigger.Referencing(**rows) if rows else None,  # type: ignore[no-untyped-call]
        func=f"{func}; RETURN NULL;",
    )
