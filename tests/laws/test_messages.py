"""The catalogs say what the code asks for, in every language, and Django gets what they say."""

import gettext
import io
import re
from collections import Counter, defaultdict

import pytest
from babel.messages.catalog import Catalog, Message

from config.languages import LANGUAGES, SOURCE
from tools.messages.catalogs import (
    format_mo,
    format_po,
    forms,
    is_translated,
    key,
    read_catalog,
    read_known,
    texts,
    update,
)
from tools.messages.django_texts import django_texts
from tools.messages.extraction import PARTS, Part, extract_messages, extract_text
from tools.messages.scripts import get_path, update_scripts

#: Catalogs that nobody has finished yet.
OPEN: set[str] = set()
TRANSLATED = [code for code, _ in LANGUAGES if code != SOURCE]
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

each_catalog = pytest.mark.parametrize(
    ("part", "language"),
    [
        pytest.param(part, language, id=f"{part.catalog}/{language}")
        for part in PARTS
        for language in TRANSLATED
    ],
)


def read(part: Part, language: str) -> Catalog:
    return read_catalog(part.path(language), language=language)


@each_catalog
def test_a_catalog_has_the_messages_of_the_code_and_no_others(part: Part, language: str) -> None:
    code = {key(message) for message in texts(extract_messages(part))} - django_texts()
    assert {key(message) for message in texts(read(part, language))} == code, "run make messages"


@each_catalog
def test_a_catalog_is_as_the_tool_writes_it(part: Part, language: str) -> None:
    known = read_known(language)
    fresh = update(part, language=language, known=known, left_out=django_texts())
    assert part.path(language).read_bytes() == format_po(fresh), "run make messages"


@each_catalog
def test_a_compiled_catalog_is_the_readable_one(part: Part, language: str) -> None:
    with part.path(language, "mo").open("rb") as file:
        compiled = vars(gettext.GNUTranslations(file))["_catalog"]
    fresh = gettext.GNUTranslations(io.BytesIO(format_mo(read(part, language))))
    expected = vars(fresh)["_catalog"]
    assert {text: compiled[text] for text in compiled if text} == {
        text: expected[text] for text in expected if text
    }, "run make messages"


@each_catalog
def test_every_message_is_translated(part: Part, language: str) -> None:
    if part.catalog in OPEN:
        pytest.skip("not finished")
    missing = [message.id for message in texts(read(part, language)) if not is_translated(message)]
    assert missing == []


@each_catalog
def test_a_translation_has_the_placeholders_of_its_text(part: Part, language: str) -> None:
    catalog = read(part, language)
    assert [message.id for message in texts(catalog) if wrong_placeholders(message)] == []
    assert [message.id for message, _ in catalog.check()] == []


def wrong_placeholders(message: Message) -> bool:
    ids = (message.id,) if isinstance(message.id, str) else tuple(message.id)
    if not is_translated(message):
        return False
    allowed = [Counter(_PLACEHOLDER.findall(text)) for text in ids]
    return any(Counter(_PLACEHOLDER.findall(form)) not in allowed for form in forms(message))


@pytest.mark.parametrize("language", TRANSLATED)
def test_a_text_has_one_translation(language: str) -> None:
    """Django merges the catalogs: of two translations one would win everywhere."""
    found = defaultdict(set)
    for part in PARTS:
        for message in texts(read(part, language)):
            if is_translated(message):
                found[key(message)].add(forms(message))
    assert {text: forms for text, forms in found.items() if len(forms) > 1} == {}


@pytest.mark.parametrize("language", TRANSLATED)
def test_what_django_left_out_of_its_scripts_is_translated(language: str) -> None:
    fresh, path = update_scripts(language), get_path(language)
    assert path.read_bytes() == format_po(fresh), "run make messages"
    assert path.with_suffix(".mo").read_bytes() == format_mo(fresh), "run make messages"
    assert [m.id for m in texts(fresh) if not is_translated(m) or wrong_placeholders(m)] == []


def test_other_placeholders_are_seen() -> None:
    def message(text: str | tuple[str, str], translation: str | tuple[str, str]) -> Message:
        return Message(text, string=translation)

    assert wrong_placeholders(message("%(count)s rows", "%(zahl)s Zeilen"))
    assert wrong_placeholders(message("%(count)s rows", "Zeilen"))
    assert wrong_placeholders(message(("1 row", "%(n)s rows"), ("1 Zeile", "Zeilen %(m)s")))
    assert not wrong_placeholders(message(("1 row", "%(n)s rows"), ("%(n)s Z", "%(n)s Zeilen")))
    assert not wrong_placeholders(message("%(a)s of %(b)s", "%(b)s, davon %(a)s"))


def test_the_extraction_warns_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Such as an f-string within a call, which nobody could translate."""
    for part in PARTS:
        extract_messages(part)
    assert capsys.readouterr().err == ""


def test_a_warning_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    list(extract_text('_("%(a)s", f"{1:,}")\n', origin="retry/some.py"))
    assert capsys.readouterr().err.startswith("retry/some.py:1: ")
