"""Files for imports, and what an export holds."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import TestCase
from openpyxl import Workbook, load_workbook

from entries.models import Entry
from retry.imports.work import perform
from retry.models import AuditEvent, Import
from tests.admin.browsing import Browser, page_of
from tests.factories.entries import EntryFactory

IMPORT = "/admin/entries/entry/import/"
EXPORT = "/admin/entries/entry/export/"


def csv_file(text: str | bytes, name: str = "entries.csv") -> SimpleUploadedFile:
    data = text.encode() if isinstance(text, str) else text
    return SimpleUploadedFile(name, data, "text/csv")


def json_file(rows: object) -> SimpleUploadedFile:
    return SimpleUploadedFile("entries.json", json.dumps(rows).encode(), "application/json")


def xlsx_file(rows: Iterable[Sequence[Any]]) -> SimpleUploadedFile:
    book = Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(list(row))
    data = io.BytesIO()
    book.save(data)
    return SimpleUploadedFile("entries.xlsx", data.getvalue())


def never() -> bool:
    return False


def work_off(row: Import) -> Import:
    """A worker's part, with what follows the commit."""
    with TestCase.captureOnCommitCallbacks(execute=True):
        perform(row.pk, stop=never)
    row.refresh_from_db()
    return row


def upload(browser: Browser, file: SimpleUploadedFile, **fields: Any) -> Any:
    """The answer to a form."""
    return browser.post(IMPORT, {"import_file": file, "kind": "scripted"} | fields)


def preview(browser: Browser, file: SimpleUploadedFile, **fields: Any) -> Import:
    """A dry run that a worker is done with."""
    answer = upload(browser, file, **fields)
    assert answer.status_code == 302, answer.context["form"].errors
    row = Import.objects.get(pk=answer["Location"].split("/")[-3])
    assert (row.state, row.dry_run) == ("queued", True)
    return work_off(row)


def press_confirm(browser: Browser, row: Import, **fields: Any) -> Any:
    return browser.post(f"/admin/retry/import/{row.pk}/confirm/", fields)


def confirm(browser: Browser, row: Import, **fields: Any) -> Import:
    """Press the button of a preview, and have a worker do it."""
    answer = press_confirm(browser, row, **fields)
    assert answer.status_code == 302
    done = Import.objects.get(confirms=row)
    assert answer["Location"] == page_of(done)
    work_off(done)
    assert done.state == "succeeded", done.error
    return done


def counts(row: Import) -> dict[str, int]:
    """What is not zero."""
    names = {
        "created": "new",
        "updated": "changed",
        "unchanged": "unchanged",
        "left_alone": "alone",
        "invalid": "error",
    }
    return {said: getattr(row, name) for name, said in names.items() if getattr(row, name)}


def shown(row: Import) -> dict[str, Any]:
    """The sample by external id."""
    return {found["external_id"]: found for found in row.sample}


def everything_but_imports() -> dict[str, list[Any]]:
    """All rows of all tables, but for the history of imports and who asked for them."""
    left_out = (Import, AuditEvent)
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model not in left_out and model._meta.managed and "sessions" not in model._meta.label
    }


def exported(browser: Browser, file_format: str, query: str = "") -> bytes:
    answer: Any = browser.post(f"{EXPORT}{query}", {"format": file_format})
    assert answer.status_code == 200
    assert answer.streaming, "memory does not grow with the rows"
    return b"".join(answer.streaming_content)


def csv_rows(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), "")))


def xlsx_rows(data: bytes) -> list[dict[str, Any]]:
    sheet = load_workbook(io.BytesIO(data)).active
    header, *rows = sheet.iter_rows()
    assert all(cell.data_type != "f" for row in rows for cell in row), "a formula"
    names = [cell.value for cell in header]
    return [dict(zip(names, [cell.value for cell in row], strict=True)) for row in rows]


def texts(rows: Iterable[Mapping[str, Any]]) -> set[str]:
    return {value for row in rows for value in row.values() if isinstance(value, str)}


def waiting(folder: Path) -> int:
    return len(list(folder.iterdir())) if folder.exists() else 0


def known(external_id: str, *, title: str = "", payload: Any = None, **fields: Any) -> Entry:
    payload = {"n": 1} if payload is None else payload
    values = {"kind": "scripted", "external_id": external_id, "title": title, "payload": payload}
    return EntryFactory.create(**values | fields)
