"""The recipe for attempts in partitions, as docs/scale.md has it: there, a drop, and back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from entries.models import Attempt
from retry import service
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT
from tests.support.operations import start, to_the_end

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("short_ticks", "no_shutdown"),
]

PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
_BLOCK = re.compile(r"```sql\n-- (Prepare|Switch|Drop a month|Back)\b(.*?)```", re.DOTALL)


def read_recipe() -> dict[str, str]:
    """The statements of each part, with the months after the present one."""
    month = timezone.now().replace(day=1)
    months = [month.year * 12 + month.month - 1 + ahead for ahead in (2, 3)]
    later, last = (f"{number // 12}-{number % 12 + 1:02}-01" for number in months)
    found = dict(_BLOCK.findall(PAGE.read_text()))
    assert set(found) == {"Prepare", "Switch", "Drop a month", "Back"}
    return {
        name: text.partition("\n")[2].replace("2027-02-01", later).replace("2027-03-01", last)
        for name, text in found.items()
    }


def run(text: str) -> None:
    with connection.cursor() as cursor:
        for statement in text.split(";\n"):
            if statement.strip():
                cursor.execute(statement)


def is_partitioned() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT relkind = 'p' FROM pg_class WHERE oid = 'entries_attempt'::regclass")
        return bool(cursor.fetchone()[0])


@pytest.fixture
def recipe() -> Iterator[dict[str, str]]:
    """The table is as it was afterwards, because the other tests have it as well."""
    found = read_recipe()
    yield found
    if is_partitioned():
        run(found["Back"])


def fail_and_retry(count: int) -> list[int]:
    ids = [entry.pk for entry in EntryFactory.create_batch(count, failed=True, kind="grouped")]
    assert to_the_end(start()).succeeded == count
    return ids


def test_attempts_go_into_partitions_and_back(recipe: dict[str, str]) -> None:
    ids = fail_and_retry(3)
    before = list(Attempt.objects.order_by("pk").values())
    run(recipe["Prepare"])
    run(recipe["Switch"])
    assert is_partitioned()
    assert list(Attempt.objects.order_by("pk").values()) == before
    more = fail_and_retry(3)
    assert Attempt.objects.count() == 2 * len(before)
    assert Attempt.objects.get(entry=more[0], number=2).status == "succeeded"
    (waiting,) = [entry.pk for entry in EntryFactory.create_batch(1, failed=True, kind="grouped")]
    run(recipe["Drop a month"])
    left = dict(Attempt.objects.values_list("entry_id", "number"))
    assert left == dict.fromkeys([*ids, *more], 2) | {waiting: 1}, "the last of each stays"
    assert service.retry_entries([waiting], actor=SCRIPT).queued == 1
    assert Attempt.objects.get(entry=waiting, number=2).status == "queued"
    kept = list(Attempt.objects.order_by("pk").values())
    run(recipe["Back"])
    assert not is_partitioned()
    assert list(Attempt.objects.order_by("pk").values()) == kept
    fail_and_retry(2)
