"""Counting that takes too long, as on a large table."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from entries.lists import counts, pages
from retry.operations import selection


@contextmanager
def slowed_down(monkeypatch: pytest.MonkeyPatch, *, finding: float) -> Iterator[None]:
    """To look at an entry takes long, and there are ``finding`` seconds for it in a list."""
    narrow = selection.Selection.narrow

    def slow(self: selection.Selection, **options: Any) -> Any:
        return narrow(self, **options).extra(where=["pg_sleep(0.02) IS NOT NULL"])

    with monkeypatch.context() as patch:
        patch.setattr(selection, "COUNT_SECONDS", 0.05)
        for module in (counts, pages):
            patch.setattr(module, "BUDGET_SECONDS", 0.05)
            patch.setattr(module, "WINDOW_SECONDS", finding)
        patch.setattr(selection.Selection, "narrow", slow)
        yield
