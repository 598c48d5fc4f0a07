"""How the tool of the catalogs reads them."""

from pathlib import Path

from tools.messages.catalogs import forms, key, read_catalog, read_sides, texts

_CONFLICTED = """\
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"

msgid "Runs"
<<<<<<< HEAD
msgstr ""

msgid "Holds"
msgstr "Sperren"
=======
msgstr "Läufe"

msgid "Syncs"
msgstr "Abgleiche"
>>>>>>> other
"""


def test_both_sides_of_a_conflict_are_read(tmp_path: Path) -> None:
    path = tmp_path / "django.po"
    path.write_text(_CONFLICTED)
    ours, theirs = (
        {key(message)[1]: forms(message)[0] for message in texts(side)}
        for side in read_sides(path, language="de")
    )
    assert ours == {"Runs": "", "Holds": "Sperren"}
    assert theirs == {"Runs": "Läufe", "Syncs": "Abgleiche"}


def test_a_catalog_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert list(texts(read_catalog(tmp_path / "django.po", language="de"))) == []
