"""What the verbs of imports and of tasks need, and the acts themselves."""

from collections.abc import Callable
from typing import Any

from django.core.files.base import ContentFile

from entries.sources.base import SourceItem
from retry import service
from retry.imports import control as imports
from retry.models import Import
from retry.outcomes import Actor


def _import(**fields: Any) -> Import:
    values = {"file_name": "a.csv", "file_format": "csv", "kind": "page"}
    return Import.objects.create(**values | fields)


def enqueue() -> Callable[[Actor], object]:
    items = [SourceItem("1", "shop.tasks.send", {"url": "http://page.example/1"})]
    return lambda actor: service.enqueue_entries(items, kind="page", actor=actor)


def request_import() -> Callable[[Actor], object]:
    content = ContentFile(b"external_id\n1\n", "a.csv")
    return lambda actor: imports.request_import(
        content, file_name="a.csv", kind="page", actor=actor
    )


def confirm_import() -> Callable[[Actor], object]:
    preview = _import(dry_run=True, state="succeeded", total=1, location="upload:x")

    return lambda actor: imports.confirm_import(preview.pk, actor=actor)


def repeat_lost() -> Callable[[Actor], object]:
    _import(state="running")
    return lambda actor: imports.repeat_lost_imports(actor=actor)
