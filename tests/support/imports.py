"""Imports as a test asks for them."""

from collections.abc import Callable
from typing import Any

from django.core.files.base import ContentFile

from retry.imports import control
from retry.models import Import
from tests.support.asking import SCRIPT
from tests.support.syncing import work_off


def asked(text: str, *, name: str = "a.csv", **options: Any) -> Import:
    content = ContentFile(text.encode(), name)
    return control.request_import(content, file_name=name, kind="scripted", actor=SCRIPT, **options)


def numbered(count: int) -> str:
    return "external_id,n\n" + "".join(f"item-{n},{n}\n" for n in range(count))


def compared(text: str) -> Import:
    row = asked(text)
    work_off()
    row.refresh_from_db()
    assert (row.state, row.error) == ("succeeded", "")
    return row


def confirmed(text: str) -> Import:
    return control.confirm_import(compared(text).pk, actor=SCRIPT)


def fresh(row: Import) -> Import:
    row.refresh_from_db()
    return row


def after(batches: int) -> Callable[[], bool]:
    """Says stop after so many."""
    left = iter([False] * (batches - 1) + [True])
    return lambda: next(left)
