"""German of what is refused and of what rows hold."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission
from django.utils import translation

from entries import phrases
from entries.foreign_rq import find_address_problem
from entries.kinds.rq_job import RqJobKind
from entries.phrases import Sentence, show
from entries.sources.rq_failed import RqOptions
from entries.states import EntryStatus
from retry import errors
from retry.access.permission_names import describe_permission
from retry.error_groups import errors as group_errors
from retry.models import Operation
from retry.reasons import Reason
from retry.selection_words import describe, describe_stored
from tests.admin.test_words import MADE

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

#: The same in both languages: names, and a value alone.
SAME = {"external_id %(problem)s", "payload %(problem)s", "title %(problem)s", "%(part)s"}


@pytest.fixture(autouse=True)
def german() -> Iterator[None]:
    with translation.override("de"):
        yield


@pytest.mark.parametrize("cls", list(MADE))
def test_every_refusal_is_shown_in_german(cls: type[Exception]) -> None:
    error = MADE[cls]
    if isinstance(error.args[0], phrases.Phrase):
        assert show(error) != str(error)
    assert "%(" not in show(error)


def test_states_and_numbers_in_a_refusal_are_german_too() -> None:
    group = group_errors.WrongGroupState(state="resolved")
    assert show(group) == "Diese Fehlergruppe ist behoben, daher geht das nicht."
    many = errors.TooManyEntries(limit=1000, given=12345)
    assert show(many) == ("Höchstens 1.000 Einträge können zugleich ausgewählt sein, nicht 12.345.")
    one = errors.NotRetryable(
        reason=Reason.NOT_FAILED, status=EntryStatus.DISCARDED, entry_id=12345, verb="retry"
    )
    assert show(one) == (
        "Eintrag 12345: verworfen; nur fehlgeschlagene Einträge können erneut versucht werden."
    )
    assert str(one) == "Entry 12345 is discarded; only failed entries can be retried."


@pytest.mark.parametrize("sentence", Sentence.known, ids=lambda sentence: sentence.message)
def test_every_sentence_in_a_row_is_shown_in_german(sentence: Sentence) -> None:
    names = sentence.parts[1::2]
    kept = str(sentence(**dict.fromkeys(names, "x1")))
    assert sentence.read(kept) is not None
    assert (show(kept) != kept) == (sentence.message not in SAME)
    assert show(kept).count("x1") == len(names)


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (
            "Step of 1,000: 200 of 1,000 failed, limit 10%",
            "Stufe mit 1.000: 200 von 1.000 fehlgeschlagen, Grenze 10%",
        ),
        ("Rejected: too many", "Abgelehnt: too many"),
        ("external_id must not be blank", "external_id darf nicht leer sein"),
        (
            "payload cannot be stored: nested deeper than 50 levels",
            "payload lässt sich nicht speichern: tiefer als 50 Ebenen verschachtelt",
        ),
        ("INC-42", "INC-42"),
        ("", ""),
    ],
)
def test_a_row_is_shown_in_german(kept: str, shown: str) -> None:
    assert show(kept) == shown


def test_the_selection_of_an_operation() -> None:
    words = describe(filter=None, failed_of=None, repaired_by=None, count=1200)
    assert words == "1,200 selected entries"
    operation = Operation(selection={"ids": 1200}, selection_words="1,200 selected entries")
    assert show(describe_stored(operation)) == "1.200 ausgewählte Einträge"
    odd = Operation(selection={"filter": {"nobody": "knows"}}, selection_words="as it was")
    assert show(describe_stored(odd)) == "as it was"
    failed = {"filter": {"status": "failed", "kind": "page"}}
    filtered = Operation(selection=failed, selection_words="status failed, kind page")
    assert show(describe_stored(filtered)) == "Status fehlgeschlagen, Art page"


@pytest.mark.django_db
def test_permissions_are_english_in_the_database_and_german_on_the_page() -> None:
    for permission in Permission.objects.filter(content_type__app_label="retry"):
        assert permission.name.startswith("Can ")
        assert "Darf " in describe_permission(permission)


def test_what_cannot_be_adopted_is_said_in_german(settings: "Settings") -> None:
    settings.REDRIVE_ALLOW_PRIVATE_ADDRESSES = False
    places = (
        "http://[", "ftp://redis.example", "redis://redis.example/0?x=1", "redis://redis.example/0"
    )  # fmt: skip
    said = [
        *map(find_address_problem, places),
        *RqOptions(queues=["redrive-default"]).problems(),
        *RqJobKind().problems_with({"job": 1}),
    ]
    assert len(said) == 7
    assert [text for text in said if show(text) == text] == []
    assert show(said[-1]) == "„queue“ muss ein Text sein"
