"""Where nothing of what is chosen fits an action, it says so and starts nothing."""

from typing import Any

import pytest

from entries import transitions
from entries.models import Entry
from retry.models import AuditEvent, Operation, Run
from tests.admin.browsing import ENTRIES, Browser, text_of
from tests.admin.operating import PREVIEW, failed
from tests.factories.entries import EntryFactory, SourceFactory

pytestmark = pytest.mark.django_db(transaction=True)


def untouched() -> bool:
    return not (Operation.objects.exists() or Run.objects.exists() or AuditEvent.objects.exists())


def test_restore_of_what_has_failed(foreman: Browser) -> None:
    ids = [*failed(2), EntryFactory.create(running=True).pk]
    said = foreman.select(ids, action="restore_selected", url=f"{ENTRIES}?status=failed")
    expected = "Nothing can be restored: 3 left alone (1 already running, 2 not discarded). "
    assert said == [f"{expected}No operation was started."]
    assert untouched()
    assert set(Entry.objects.filter(pk__in=ids[:2]).values_list("status", flat=True)) == {"failed"}


#: Action -> what it takes nothing of.
MISFITS = {
    "retry": "succeeded",
    "resync": "succeeded",
    "retry_now": "failed",
    "stop": "failed",
    "discard": "succeeded",
    "restore": "failed",
}


@pytest.mark.parametrize("action", MISFITS)
@pytest.mark.parametrize("across", ["0", "1"])
def test_every_action(action: str, across: str, foreman: Browser) -> None:
    status = MISFITS[action]
    given: dict[str, Any] = {status: True}
    entry = EntryFactory.create(**given)  # without a source, so that nothing can be resynced
    form = {
        "_selected_action": [entry.pk],
        "action": f"{action}_selected",
        "index": "0",
        "select_across": across,
    }
    answer = foreman.post(f"{ENTRIES}?status={status}", form)
    page = foreman.get(answer["Location"])
    words = text_of(page.content.decode())
    at_once = {"discard": "Nothing can be", "restore": "Nothing can be"}.get(action, "No entries")
    assert ("No entry can be" if across == "1" else at_once) in words
    assert untouched()


@pytest.mark.parametrize("action", MISFITS)
def test_a_form_that_is_sent_when_nothing_fits_any_more(action: str, foreman: Browser) -> None:
    given: dict[str, Any] = {MISFITS[action]: True}
    entry = EntryFactory.create(**given)
    url = f"{PREVIEW}?action={action}&q=%23{entry.pk}"
    answer = foreman.post(url, {"key": "a" * 32})
    assert "No operation was started." in text_of(answer.content.decode())
    assert untouched()


def test_nothing_at_all(foreman: Browser) -> None:
    answer = foreman.post(f"{PREVIEW}?action=retry&q=nowhere", {"key": "a" * 32})
    words = text_of(answer.content.decode())
    assert "Nothing can be retried: no entry matches. No operation was started." in words
    assert untouched()


def test_a_form_sent_again_leads_to_what_it_started_though_nothing_fits_any_more(
    foreman: Browser,
) -> None:
    failed(1)
    url = f"{PREVIEW}?action=discard&status=failed"
    first = foreman.post(url, {"key": "a" * 32})
    EntryFactory.create(succeeded=True)
    run = Run.objects.get()
    transitions.move(run.entry_ids, verb="discard")
    assert foreman.post(url, {"key": "a" * 32})["Location"] == first["Location"]
    assert Operation.objects.count() == 1


def test_the_sample_holds_what_will_be_acted_on(foreman: Browser) -> None:
    EntryFactory.create_batch(12, succeeded=True, title="fine")
    fitting = failed(2)
    page = foreman.get(f"{PREVIEW}?action=retry&kind=grouped&q=entry")
    assert [entry.pk for entry in page.context["found"].sample] == fitting[::-1]
    page = foreman.get(f"{PREVIEW}?action=retry&all=true")
    assert [entry.pk for entry in page.context["found"].sample] == fitting[::-1]
    assert page.context["found"].total == 14


def test_the_sample_of_a_resync_has_sources(foreman: Browser) -> None:
    EntryFactory.create(failed=True)
    entry = EntryFactory.create(failed=True, source=SourceFactory.create())
    page = foreman.get(f"{PREVIEW}?action=resync&status=failed")
    assert [entry.pk for entry in page.context["found"].sample] == [entry.pk]
