"""Admin, API and commands translate and call; what is written, a verb has written.

Their imports are held by a contract; this is about what they could do with a model alone.
"""

import ast
from collections.abc import Iterator

import pytest

from tests.laws.tree import modules, parsed

#: One test process parses the project.
pytestmark = pytest.mark.xdist_group("sources")

CHANNELS = ("entries/admin", "retry/admin", "retry/api", "retry/management")
_WRITES = frozenset({"update", "create", "delete", "bulk_create", "bulk_update"})
_WRITES_WHATEVER = frozenset({"save", "get_or_create", "update_or_create", "select_for_update"})
#: What people write themselves, and no verb: where a source or an endpoint is, what an entry is
#: called and holds. And a file.
_ALLOWED = {
    "retry/management/new_source.py": "source.save",
    "retry/management/commands/add_endpoint.py": "endpoint.save",
    "entries/admin/endpoint.py": "obj.save",
    "entries/admin/entry.py": "obj.save",
    "retry/admin/exports/workbook.py": "book.save",
}


def writes(tree: ast.AST) -> Iterator[str]:
    """Calls that write through a model, but not the admin's own form (``super().save_model``)."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        chain = ast.unparse(node.func)
        through_manager = ".objects." in chain or "_default_manager" in chain
        if chain.startswith("super()"):
            continue
        if node.func.attr in _WRITES_WHATEVER or (through_manager and node.func.attr in _WRITES):
            yield chain


def test_no_channel_writes_a_model() -> None:
    found = {(str(path), chain) for path in modules(*CHANNELS) for chain in writes(parsed(path))}
    assert found <= set(_ALLOWED.items())


#: The ids were chosen by a verb that had looked.
_SEES_MORE = {"retry/admin/exports/page.py"}


def unasked(tree: ast.AST) -> Iterator[str]:
    """Entries that are read without asking ``visible_to``."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr == "visible_to":
            continue
        if ast.unparse(node.value) == "Entry.objects":
            yield ast.unparse(node)


def test_channels_read_the_entries_that_may_be_seen() -> None:
    found = {str(path) for path in modules(*CHANNELS) for _ in unasked(parsed(path))}
    assert found <= _SEES_MORE
    assert list(unasked(ast.parse("Entry.objects.filter(pk=1)"))) == ["Entry.objects.filter"]


#: What belongs to a source: ``retry.access`` says which of them an actor may see.
_RECORDS = ("Source", "Run", "Operation", "Sync", "Import", "Hold", "AuditEvent", "ErrorGroup")
#: Where they are read for what the actor has been found to see: its source, its entry, its group.
_SEEN_BEFORE = {
    ("entries/admin/filters.py", "Source"),  # within the scope of the user
    ("retry/admin/desk/breaks.py", "ErrorGroup"),
    ("retry/admin/desk/sentence.py", "Hold"),
    ("retry/admin/entries/reasons.py", "AuditEvent"),
    ("retry/admin/entries/reasons.py", "Run"),
    ("retry/admin/error_groups/admin.py", "ErrorGroup"),
    ("retry/admin/error_groups/filters.py", "ErrorGroup"),
    ("retry/admin/imports/admin.py", "Import"),
    ("retry/admin/imports/forms.py", "Source"),  # none of them
    ("retry/admin/operations/launch.py", "Operation"),  # the actor's own
    ("retry/admin/notices/forms.py", "Source"),  # none of them
    ("retry/admin/people/token_form.py", "Source"),  # none of them
    ("retry/admin/shared/history.py", "AuditEvent"),
    ("retry/admin/sources/admin.py", "Hold"),
}


def test_channels_read_the_records_that_may_be_seen() -> None:
    """Commands see everything."""
    found = {
        (str(path), name)
        for path in modules("entries/admin", "retry/admin", "retry/api")
        for node in ast.walk(parsed(path))
        for name in _RECORDS
        if isinstance(node, ast.Attribute) and ast.unparse(node) == f"{name}.objects"
    }
    assert found <= _SEEN_BEFORE, found - _SEEN_BEFORE


@pytest.mark.parametrize(
    "code",
    [
        "Run.objects.filter(pk=1).update(state='queued')",
        "Run.objects.create(kind='page')",
        "entry.save()",
        "ApiToken.objects.all().delete()",
        "Entry._default_manager.bulk_create([])",
        "Source.objects.get_or_create(slug='x')",
        "Entry.objects.select_for_update().get(pk=1)",
    ],
)
def test_a_write_is_seen(code: str) -> None:
    assert len(list(writes(ast.parse(code)))) == 1


@pytest.mark.parametrize(
    "code",
    ["Run.objects.filter(pk=1)", "super().save_model(*a)", "tokens.create(user)", "d.update(x=1)"],
)
def test_what_is_no_write(code: str) -> None:
    assert list(writes(ast.parse(code))) == []
