"""Every text on a page can be translated."""

import ast
from pathlib import Path

import pytest

from tests.laws.texts import (
    find_in_template,
    find_literals,
    has_words,
    messages_put_together,
    untranslated_in_module,
    untranslated_in_template,
)
from tests.laws.tree import files, modules

#: Folders whose texts nobody has marked yet.
OPEN: tuple[str, ...] = ()
#: What no page shows: commands, checks, settings, and the API, which is English.
_ENGLISH = (
    "config/keys.py",
    "config/settings.py",
    "entries/checks.py",
    "entries/sql",
    "retry/api",
    "retry/checks.py",
    "retry/management",
)
TEMPLATES = files("html")
MODULES = modules("config", "entries", "retry")


def is_below(path: Path, folders: tuple[str, ...]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_every_text_of_a_template_can_be_translated(path: Path) -> None:
    if is_below(path, OPEN):
        pytest.skip("not finished")
    assert untranslated_in_template(path) == []


def test_every_text_of_a_page_can_be_translated() -> None:
    shown = [path for path in MODULES if not is_below(path, (*OPEN, *_ENGLISH))]
    assert [text for path in shown for text in untranslated_in_module(path)] == []


def test_messages_are_whole() -> None:
    """A text that is put together is in no catalog."""
    assert [place for path in MODULES for place in messages_put_together(path)] == []


@pytest.mark.parametrize(
    "source",
    [
        "<p>3 entries</p>",
        "{% if more %}more{% endif %}",
        '<a title="Show all">…</a>',
        '<input type="submit" value="Save">',
        '<p data-question="Not saved. Go on?">',
        "{{ name|default:'none' }}",
        '{{ done|yesno:"yes,no" }}',
        "entr{{ count|pluralize:'y,ies' }}",
        '{% include "a.html" with title="Sizes" %}',
        '{% translate "a" %} and {% translate "b" %}',
    ],
)
def test_a_text_in_a_template_is_seen(source: str) -> None:
    assert list(find_in_template(source))


@pytest.mark.parametrize(
    "source",
    [
        '{% translate "3 entries" %}',
        "{% blocktranslate count n=n %}1 entry{% plural %}{{ n }} entries{% endblocktranslate %}",
        '<a class="two words" href="{{ url }}?status=failed" data-id="{{ id }}">{{ name }}</a>',
        "{# a comment #}{% comment %}a long one{% endcomment %}",
        "<code>manage.py rundispatcher</code> · 3 ms",
        '{% include "a.html" with title=_("Sizes") kind="page" %}',
        '<p title="{% translate "Show all" %}"{% if a %} class="b"{% endif %}>',
    ],
)
def test_what_is_no_text_is_let_through(source: str) -> None:
    assert list(find_in_template(source)) == []


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("'Show all'", True),
        ("f'{count} entries'", True),
        ("'a' if more else 'all entries'", True),
        ("'<b>{}</b>'", False),
        ("'{} ms'", False),
        ("gettext('Show all')", False),
        ("name", False),
    ],
)
def test_a_text_in_a_module_is_seen(source: str, *, seen: bool) -> None:
    assert bool(list(find_literals(ast.parse(source, mode="eval").body))) is seen


def test_names_are_no_words() -> None:
    assert not has_words("Redis 7 · 3 ms")
    assert has_words("Redis is away")
