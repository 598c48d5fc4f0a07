"""Files for imports, and what an export holds."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from tests.admin.browsing import Browser

IMPORT = "/admin/entries/entry/import/"
CONFIRM = "/admin/entries/entry/process_import/"
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


def preview(browser: Browser, file: SimpleUploadedFile, **fields: Any) -> Any:
    """The answer to a file: its context has ``result`` and, where all is well, ``confirm_form``."""
    answer = browser.post(IMPORT, {"import_file": file, "kind": "scripted"} | fields)
    assert answer.status_code == 200, answer.get("Location")
    return answer


def confirm(browser: Browser, answer: Any, **changes: Any) -> list[str]:
    """Press the button of a preview; returns the messages that follow."""
    form = answer.context["confirm_form"]
    return browser.press(CONFIRM, **{**form.initial, **changes})


def refusals(answer: Any) -> list[str]:
    """What the form says is wrong with the file."""
    assert "confirm_form" not in answer.context
    return list(answer.context["form"].errors.get("import_file", []))


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
