"""``docs/where-to-change.md`` names every file of a change, and no other.

Five changes are made in a copy of the project by touching the files that the page names. There the
tests of the changes and the laws are run.
"""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.laws.recipes import EXAMPLES, apply, copy_tree, insert, matches, sections, touched
from tests.laws.tree import ROOT
from tests.support.databases import copied

#: Folder of the example -> section of the page.
CHANGES = {
    "kind": "Add a kind",
    "source_kind": "Add a kind of source",
    "verb": "Add a verb",
    "api_resource": "Add a resource of the API",
    "admin_column": "Add a column to a list of the admin",
}
#: What would notice a file that the page forgets; the tests of the examples come with them.
LAWS = (
    "tests/laws/test_api_docs.py",
    "tests/laws/test_channels.py",
    "tests/laws/test_imports.py::test_every_contract_is_kept",
    "tests/laws/test_layers.py",
    "tests/laws/test_verbs.py::test_every_public_verb_is_acted_out",
    *(
        f"tests/laws/test_verbs.py::{law}[change_hold_reason]"
        for law in (
            "test_who_acts_is_a_keyword_that_cannot_be_left_out",
            "test_a_success_is_audited_once",
            "test_what_is_rolled_back_leaves_neither_audit_nor_job",
            "test_nothing_is_enqueued_before_the_commit",
            "test_without_the_permission_nothing_happens",
        )
    ),
    "tests/api/test_walk.py::test_every_address_is_either_read_or_has_a_body",
    "tests/unit/test_kinds_docs.py",
    "tests/unit/test_registry.py",
)


def test_every_section_has_steps() -> None:
    assert len(sections()) >= 10
    assert [title for title, paths in sections().items() if len(paths) < 2] == []


def test_every_file_that_is_named_exists() -> None:
    missing = [
        path
        for paths in sections().values()
        for path in paths
        if "<" not in path and not (ROOT / path).exists()
    ]
    folders = [
        path
        for paths in sections().values()
        for path in paths
        if "<" in path and not (ROOT / path.partition("<")[0]).parent.is_dir()
    ]
    assert missing + folders == []


@pytest.mark.parametrize(("example", "section"), CHANGES.items(), ids=CHANGES.keys())
def test_an_example_touches_what_the_page_names(example: str, section: str) -> None:
    named, paths = sections()[section], touched(example)
    assert [name for name in named if sum(matches(name, path) for path in paths) != 1] == []
    assert [path for path in paths if not any(matches(name, path) for name in named)] == []


def test_every_example_is_made() -> None:
    assert CHANGES.keys() == {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()}


@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_the_changes_work(tmp_path: Path) -> None:
    """All five in one copy; two Python processes in it: the linter and the tests."""
    copy_tree(tmp_path)
    for example in CHANGES:
        apply(example, tmp_path)
    changed = {path for example in CHANGES for path in touched(example)}
    modules = sorted(path for path in changed if path.endswith(".py"))
    for command in (["check"], ["format", "--check"]):
        run(tmp_path, "ruff", *command, "--no-cache", *modules)
    tests = [path for path in modules if Path(path).name.startswith("test_")]
    plain = ("--no-cov", "-n", "0", "-q", "-p", "no:cacheprovider")
    # No change has a migration.
    with copied(f"test_{urlsplit(os.environ['DATABASE_URL']).path.strip('/')}_newcomer"):
        run(tmp_path, "pytest", *plain, "--reuse-db", *tests, *LAWS)


def run(tree: Path, *command: str) -> None:
    """Run a Python program in ``tree``; what it wrote is the message where it fails."""
    address, mark, query = os.environ["DATABASE_URL"].partition("?")
    own = {
        # Stores that no test beside it uses: another database, and the last one of Redis.
        "DATABASE_URL": f"{address}_newcomer{mark}{query}",
        "PYTEST_XDIST_WORKER": "gw14",
    }
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=tree,
        env=os.environ | own,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-10_000:]


def test_an_addition_has_one_place() -> None:
    assert insert("a\nb\n", "@@ before ^b\nx\n") == "a\nx\nb\n"
    assert insert("a\nb\n", "@@ after ^a\\n\nx\n@@ inside ^b\nc\n") == "a\nx\nbc\n"
    with pytest.raises(ValueError, match="2 places"):
        insert("a\na\n", "@@ before ^a\nx\n")
    with pytest.raises(ValueError, match="begins"):
        insert("a\n", "x\n@@ before ^a\nx\n")


def test_a_placeholder_is_one_name() -> None:
    assert matches("entries/kinds/<kind>.py", "entries/kinds/checksum.py")
    assert not matches("entries/kinds/<kind>.py", "entries/kinds/sub/checksum.py")
    assert not matches("docs/api.md", "docs/api_md")
