"""The desk in German: whole sentences, German numbers, and English in what is stored."""

from typing import TYPE_CHECKING

import pytest
from django.core.cache import cache
from django.utils.translation import override

from entries.states import EntryStatus
from retry import audit
from retry.admin.desk.activity import list_under_way
from retry.admin.operations.words import describe_forecast, describe_steps, get_title
from retry.admin.shared.actions import describe_action
from retry.admin.shared.messages import describe_selection
from retry.admin.shared.verb_names import NAMES, name_verb
from retry.audit import VERBS
from retry.models import Action, AuditEvent, Operation
from retry.operations.forecast import Forecast
from retry.outcomes import ItemOutcome, QueueOutcome
from retry.reasons import Reason
from retry.service import create_token
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.factories.entries import EntryFactory
from tests.laws.verbs import ACTS
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

GERMAN = {"Accept-Language": "de"}


def test_an_outcome_is_counted_in_german() -> None:
    items = [ItemOutcome(number, EntryStatus.QUEUED, 1) for number in range(1200)]
    left = ItemOutcome(7, EntryStatus.RUNNING, 1, reason=Reason.ALREADY_RUNNING)
    with override("de"):
        (many,) = describe_selection(QueueOutcome((*items, left), dispatched=True))
        (one,) = describe_selection(QueueOutcome((items[0],), dispatched=True))
    assert many.text.startswith("1.200 Einträge eingereiht, 1 übersprungen (")
    assert one.text == "1 Eintrag eingereiht."


@pytest.mark.parametrize("action", Action)
def test_every_action_has_sentences_of_its_own(action: Action) -> None:
    words = describe_action(action)
    english = [words.count_title(1), words.count_begun(2), str(words.bulk), str(words.none)]
    with override("de"):
        german = [words.count_title(1), words.count_begun(2), str(words.bulk), str(words.none)]
    assert not set(english) & set(german)
    assert "1 " in german[0]


def test_numbers_are_those_of_the_reader() -> None:
    found = Forecast(5400.0, 2.5, paced=True)
    assert describe_forecast(found, whole=True) == "About 1.5 h at 2.5/s"
    assert describe_steps([10, 1000]) == "10, 1,000, rest"
    with override("de"):
        assert describe_forecast(found, whole=True) == "Etwa 1,5 h bei 2,5/s"
        assert describe_steps([10, 1000]) == "10, 1.000, Rest"


@pytest.mark.parametrize("verb", sorted({scene.audited for scene in ACTS.values()}))
def test_every_verb_of_the_audit_has_a_name(verb: str) -> None:
    assert verb.replace("_", " ") in NAMES


def test_the_audit_lists_the_same_verbs() -> None:
    assert {verb.replace("_", " ") for verb in VERBS} == NAMES


@pytest.mark.django_db
def test_what_is_kept_for_all_who_look_is_in_the_language_of_each() -> None:
    Operation.objects.create(action=Action.RETRY, total=3, state="running")
    with override("de"):
        (row,) = list_under_way(SCRIPT).rows
        assert (row.title, row.bar.words) == ("3 Einträge erneut versuchen", "von 3: noch nichts")
    assert (row.title, row.bar.words) == ("Retry 3 entries", "of 3: nothing yet")
    assert get_title(row.operation) == row.title


@pytest.mark.django_db
def test_the_front_page_is_not_kept_in_one_language(chief: "User") -> None:
    Operation.objects.create(action=Action.RETRY, total=3, state="running")
    cache.clear()
    browser = Browser(chief)
    german = text_of(browser.get("/admin/", headers=GERMAN).content.decode())
    english = text_of(browser.read("/admin/"))
    assert "3 Einträge erneut versuchen" in german
    assert "Retry 3 entries" in english


@pytest.mark.django_db
def test_a_refusal_is_kept_in_english(reader: "User") -> None:
    entry = EntryFactory.create(failed=True)
    form = {"_selected_action": [entry.pk], "action": "retry_selected", "index": "0"}
    Browser(reader).post(ENTRIES, form, headers=GERMAN)
    (event,) = AuditEvent.objects.filter(verb=audit.REFUSED)
    assert event.after is not None
    assert event.after["what"] == "retry_selected in entries"
    with override("de"):
        assert name_verb(event.verb) == "abgelehnt"


@pytest.mark.django_db
def test_what_a_token_may_is_no_month(chief: "User") -> None:
    """Django has a translation of “may” as well."""
    create_token(chief, name="script", actor=SCRIPT)
    page = text_of(Browser(chief).get("/admin/retry/apitoken/", headers=GERMAN).content.decode())
    assert "Darf" in page
    assert "Mai" not in page.replace("E-Mail", "")
