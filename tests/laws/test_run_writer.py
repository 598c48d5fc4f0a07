"""``retry.runs`` writes the rows of runs, and no other module."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.laws.tree import ROOT, files, modules, parsed
from tests.laws.writers import Rows, functions_returning, row_offences, writes_table

#: One test process parses the project.
pytestmark = pytest.mark.xdist_group("sources")

RUNS = Path("retry/runs")
TABLE = "retry_run"


@cache
def find_rows() -> Rows:
    """Reads all modules, which only a process that runs these tests should."""
    functions = functions_returning("Run", map(parsed, modules()))
    return Rows(model="Run", table=TABLE, related={"runs"}, functions=functions)


def test_no_other_module_writes_them() -> None:
    assert [
        (str(path), *offence)
        for path in modules(but="retry.runs")
        for offence in row_offences(parsed(path), find_rows())
    ] == []


def test_no_statement_elsewhere_writes_them() -> None:
    assert [
        str(path)
        for path in files("sql")
        if RUNS not in path.parents and writes_table((ROOT / path).read_text(), TABLE)
    ] == []


def test_there_would_be_something_to_see() -> None:
    """Else the search would be looking for something that is written nowhere."""
    own = [path for path in modules() if RUNS in path.parents]
    assert sum(len(list(row_offences(parsed(path), find_rows()))) for path in own) >= 10
    written = [path for path in files("sql") if writes_table((ROOT / path).read_text(), TABLE)]
    assert {RUNS / "lifecycle.sql", RUNS / "plan.sql", RUNS / "detachment.sql"} <= set(written)


@pytest.mark.parametrize(
    "code",
    [
        "Run.objects.create(kind='page')",
        "Run.objects.filter(pk=1).update(probe=False)",
        "Run.objects.filter(pk=1).exclude(probe=True)[:5].delete()",
        "Run.objects.bulk_create(runs)",
        "models.Run.objects.get_or_create(pk=1)",
        "Run(id=1).save()",
        "run = models.Run(id=1)",
        "def f(run: Run): run.save(update_fields=['size'])",
        "def f(run: 'Run | None'): run.delete()",
        "def f(runs: Sequence[Run]):\n    for run in runs:\n        run.save()",
        "def f(found: QuerySet[Run]): found.update(state='queued')",
        "found = Run.objects.filter(pk=1)\nfound.update(probe=False)",
        "found = Run.objects.all()\nfirst = found.first()\nfirst.save()",
        "for each in list(Run.objects.all()):\n    each.save()",
        "if each := Run.objects.first():\n    each.save()",
        "[each.delete() for each in Run.objects.all()]",
        "a = Run.objects.all() if b else Run.objects.none()\na.update(probe=True)",
        "operation.runs.update(canary=False)",
        "operation.runs.filter(probe=True).delete()",
        "find_startable_runs().update(queue='bulk')",
        "backlog.find_startable_runs().filter(kind='page').update(queue='bulk')",
        "def _find(x) -> QuerySet[Run]: ...\n_find(1).update(probe=True)",
        "for each in find_lapsed_runs(limit=5):\n    each.save()",
        "await Run.objects.filter(pk=1).aupdate(probe=False)",
        "def f():\n    each = await Run.objects.aget(pk=1)\n    await each.asave()",
        "cursor.execute('UPDATE retry_run r SET state = %s', [1])",
        "cursor.execute(f'insert into\\n retry_run ({columns}) values (1)')",
        "SQL = 'DELETE FROM \"retry_run\" WHERE id = 1'",
        "SQL = 'WITH a AS (UPDATE ONLY retry_run SET size = 1 RETURNING id) SELECT 1'",
        "SQL = 'TRUNCATE TABLE retry_run'",
    ],
)
def test_every_way_to_write_them_is_seen(code: str) -> None:
    assert len(list(row_offences(ast.parse(code), find_rows()))) >= 1


@pytest.mark.parametrize(
    "code",
    [
        "Run.objects.filter(pk=1).exists()",
        "Run.objects.select_for_update(no_key=True).filter(pk=1).first()",
        "def f(run: Run): Hold.objects.filter(pk=1).update(probe_run_id=run.pk)",
        "Operation.objects.filter(runs__probe=True).update(state='paused')",
        "counts = {run.id: run.size for run in Run.objects.all()}\ncounts.update({1: 2})",
        "def f(run: Run) -> None:\n    audit.record('x', run_id=run.pk)\n    hold.save()",
        "match target:\n    case Run():\n        pass",
        "DryRun(1)",
        "cursor.execute('SELECT * FROM retry_run WHERE id = 1 FOR UPDATE')",
        "cursor.execute('UPDATE retry_runner SET a = 1')",
        "cursor.execute('UPDATE retry_hold SET a = 1 FROM retry_run')",
    ],
)
def test_reading_them_is_no_offence(code: str) -> None:
    assert list(row_offences(ast.parse(code), find_rows())) == []
