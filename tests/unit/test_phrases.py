"""Phrases: English wherever they are kept, translated where they are shown. Django's own texts
stand for ours.
"""

import copy
import json
import pickle

import pytest
from django.utils import translation

from entries.phrases import Phrase, Sentence, nphrase, phrase, show

LIMIT = "Ensure this value is less than or equal to %(limit_value)s."
CHANGED = (
    "%(count)s %(name)s was changed successfully.",
    "%(count)s %(name)s were changed successfully.",
)


def test_a_phrase_is_its_english_text_in_every_language() -> None:
    with translation.override("de"):
        made = phrase(LIMIT, limit_value=1200)
        assert made == "Ensure this value is less than or equal to 1,200."
        assert f"{made}" == str(made) == made
        assert json.dumps([made]) == f'["{made}"]'
        assert str(ValueError(made)) == made


def test_a_phrase_is_translated_when_it_is_shown() -> None:
    made = phrase(LIMIT, limit_value=1200)
    assert show(made) == made
    with translation.override("de"):
        assert show(made) == "Dieser Wert muss kleiner oder gleich 1.200 sein."
        assert show(ValueError(made)) == show(made)
    with translation.override(None):
        assert show(made) == made


@pytest.mark.parametrize("count", [1, 2])
def test_plurals(count: int) -> None:
    made = nphrase(*CHANGED, count, name="x")
    assert made == CHANGED[count - 1] % {"count": count, "name": "x"}
    with translation.override("de"):
        shown = show(made)
    assert shown.endswith(f"{'wurde' if count == 1 else 'wurden'} erfolgreich geändert.")
    assert shown.startswith(f"{count} x")


def test_values_are_translated_as_well() -> None:
    limit = phrase(LIMIT, limit_value="7")
    made = phrase("so: %(why)s", why=(limit, "17%"))
    assert made == f"so: {limit}; 17%"
    with translation.override("de"):
        assert show(made) == "so: Dieser Wert muss kleiner oder gleich 7 sein.; 17%"


def test_a_phrase_in_front_of_a_sentence_has_a_capital() -> None:
    made = phrase("%(field)s: no", field="kind").begin_sentence()
    assert made == "Kind: no"


@pytest.mark.parametrize("text", ["100% of %s", "", "%(nothing)s"])
def test_a_text_without_values_is_left_as_it_is(text: str) -> None:
    with translation.override("de"):
        assert phrase(text) == show(phrase(text)) == show(text) == text


def test_copies_are_phrases_too() -> None:
    made = phrase(LIMIT, limit_value=5)
    for copied in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):  # noqa: S301
        assert isinstance(copied, Phrase)
        assert copied == made
        assert copied.show() == made.show()


def test_a_stored_sentence_is_recognised_when_it_is_shown() -> None:
    sentence = Sentence("Ensure this value is greater than or equal to %(limit_value)s.")
    kept = str(sentence(limit_value=12_000))
    assert kept == "Ensure this value is greater than or equal to 12,000."
    with translation.override("de"):
        assert show(kept) == "Dieser Wert muss größer oder gleich 12.000 sein."
        assert show(f"Anna: {kept}") == f"Anna: {kept}"


def test_an_error_without_a_phrase_is_looked_up_as_it_is() -> None:
    with translation.override("de"):
        assert (
            show(ValueError("This field is required.")) == "Dieses Feld ist zwingend erforderlich."
        )
        assert show("This field is required.") == "This field is required."
