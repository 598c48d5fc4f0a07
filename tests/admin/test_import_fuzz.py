"""Whatever is uploaded, a worker says what it is, and its page can be shown."""

import random
from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from entries.models import Entry
from tests.admin.browsing import Browser, page_of
from tests.admin.transfers import csv_file, json_file, preview, xlsx_file

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]

_ROWS: list[list[object]] = [
    ["external_id", "title", "n"],
    ["a", "A", 1],
    ["b", date(2026, 1, 31), True],
]
_OBJECTS = [{"external_id": "a", "title": "A", "payload": {"n": [1, None, "é"]}}, {"n": 1}]
GOOD = {
    "csv": csv_file('external_id;title;payload\na;A;"{""n"": 1}"\nb;;\n').read(),
    "json": json_file(_OBJECTS).read(),
    "xlsx": xlsx_file(_ROWS).read(),
}


def damaged(data: bytes, dice: random.Random) -> bytes:
    """A few bytes are others, are missing, or are there twice."""
    changed = bytearray(data)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(changed))
        match dice.randrange(4):
            case 0:
                changed[at] = dice.randrange(256)
            case 1:
                del changed[at : at + dice.randint(1, 20)]
            case 2:
                changed[at:at] = changed[at : at + dice.randint(1, 50)]
            case _:
                changed[at:at] = dice.choice([b'"', b"\0", b"\\ud800", b"{", b"\r", b"\xff\xfe"])
        if not changed:
            break
    return bytes(changed) or b"x"


@pytest.mark.parametrize("file_format", GOOD)
def test_damaged_files(importer: Browser, file_format: str) -> None:
    dice = random.Random(20_261)
    ends = set()
    for _ in range(40):
        data = damaged(GOOD[file_format], dice)
        row = preview(importer, SimpleUploadedFile(f"a.{file_format}", data))
        assert row.state in {"succeeded", "failed"}, data
        assert row.error_code in {"", "malformed", "empty", "not_found", "too_large"}, data
        importer.read(page_of(row))
        ends.add(row.state)
    assert ends == {"succeeded", "failed"} or file_format == "json"
    importer.read("/admin/retry/import/")
    assert not Entry.objects.exists()
