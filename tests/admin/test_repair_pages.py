"""Repair in bulk: the form, a preview that changes nothing, the start, and the way back."""

import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from entries.models import Edit, Entry
from retry.models import Operation, Run
from tests.admin.browsing import ENTRIES, Browser, page_of, text_of
from tests.admin.operating import OPERATIONS, finish
from tests.conftest import grant
from tests.factories.entries import EntryFactory

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db(transaction=True)

REPAIR = f"{OPERATIONS}repair/"
MEND = [{"op": "replace", "path": "/do", "value": "succeed"}]
PERMISSIONS = ("entries.change_entry", "retry.view_operation")


@pytest.fixture
def desk(operator: "User") -> Browser:
    return Browser(grant(operator, *PERMISSIONS))


def failed(count: int = 1, **payload: Any) -> list[Entry]:
    made = {"do": "fail"} | payload
    return [EntryFactory.create(failed=True, kind="scripted", payload=made) for _ in range(count)]


def fill(patch: Any = None, **fields: Any) -> dict[str, Any]:
    text = json.dumps(MEND) if patch is None else patch
    return {"patch": text, "key": uuid4().hex, "preview": "1"} | fields


def assert_untouched() -> None:
    assert not any(model.objects.exists() for model in (Operation, Run, Edit))
    assert set(Entry.objects.values_list("status", flat=True)) <= {"failed", "succeeded"}


def test_the_list_leads_there_with_what_is_ticked_or_shown(desk: Browser) -> None:
    ids = [entry.pk for entry in failed(2)]
    assert 'data-verb="repair_selected"' in desk.read(f"{ENTRIES}?status=failed")
    assert 'data-verb="repair_selected"' not in desk.read(f"{ENTRIES}?status=succeeded")
    form = {"_selected_action": ids, "action": "repair_selected", "index": "0"}
    answer = desk.post(f"{ENTRIES}?status=failed", form | {"reason": "INC-42"})
    assert f"{REPAIR}?ids={ids[0]}%2C{ids[1]}&reason=INC-42&back=status" in answer["Location"]
    assert "2 selected entries" in text_of(desk.read(answer["Location"]))
    answer = desk.post(f"{ENTRIES}?status=failed", form | {"select_across": "1"})
    page = desk.read(answer["Location"])
    assert "status failed" in text_of(page)
    assert 'name="preview"' in page
    assert 'name="start"' not in page, "not without a preview"


def test_the_preview_counts_shows_and_changes_nothing(desk: Browser) -> None:
    (good, *_) = failed(3)
    misfit = EntryFactory.create(failed=True, kind="scripted", payload={"n": 1})
    EntryFactory.create(failed=True, kind="scripted", payload={"do": "succeed"})
    EntryFactory.create(succeeded=True, kind="scripted")
    answer = desk.post(f"{REPAIR}?kind=scripted", fill())
    page = text_of(answer.content.decode())
    assert "3 will be repaired and retried" in page
    assert "3 will be left alone" in page
    assert "6 in total" in page
    for line in ("1 not failed", "1 repair misfit", "1 unchanged"):
        assert line in page
    assert f"#{misfit.pk} {misfit.title}: can't replace a non-existent object 'do'" in page
    assert f'#{good.pk} {good.title} do before: "fail" after: "succeed"' in page
    assert "Repair and retry 3 entries" in page
    assert_untouched()


def test_twenty_are_shown(desk: Browser) -> None:
    failed(25)
    page = desk.post(f"{REPAIR}?status=failed", fill()).content.decode()
    assert page.count("<ins>") == 20
    assert "25 will be repaired" in text_of(page)


def test_secrets_in_it_are_masked(desk: Browser) -> None:
    failed(token="tiger")
    patch = json.dumps([{"op": "replace", "path": "/token", "value": "lion-9"}])
    page = text_of(desk.post(f"{REPAIR}?status=failed", fill(patch)).content.decode())
    assert 'token before: "***" after: *** (replaced)' in page
    assert "tiger" not in page


def test_it_starts_an_operation_that_can_be_undone(desk: Browser) -> None:
    failed(3)
    form = fill(reason="INC-42") | {"start": "1"}
    form.pop("preview")
    answer = desk.post(f"{REPAIR}?status=failed&back=status%3Dfailed", form)
    operation = Operation.objects.get()
    assert answer["Location"].startswith(page_of(operation))
    assert (operation.action, operation.reason, operation.total) == ("repair", "INC-42", 3)
    assert "Undo the repair" not in desk.read(page_of(operation)), "first it has to end"
    finish(operation)
    assert set(Entry.objects.values_list("status", flat=True)) == {"succeeded"}
    page = desk.read(page_of(operation))
    assert "&quot;path&quot;: &quot;/do&quot;" in page
    answer = desk.post(f"{OPERATIONS}{operation.pk}/undo/", {"reason": "wrong patch"})
    undo = Operation.objects.get(action="undo")
    assert answer["Location"] == page_of(undo)
    finish(undo)
    assert {entry.payload["do"] for entry in Entry.objects.all()} == {"fail"}
    words = text_of(desk.read(page_of(undo)))
    assert "Undo the repair of 3 entries" in words
    assert "Undoes this repair" in words


def test_a_form_sent_twice_starts_one(desk: Browser) -> None:
    failed()
    form = fill() | {"start": "1"}
    desk.post(f"{REPAIR}?status=failed", form)
    desk.post(f"{REPAIR}?status=failed", form)
    assert Operation.objects.count() == 1


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("", "Give a JSON Patch or choose a repair"),
        ("{no", "Expecting property name"),
        ("{}", "a JSON Patch is a list of operations"),
        ('[{"op": "grow", "path": "/a"}]', "this is no JSON Patch: Unknown operation 'grow'"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_what_is_no_patch_is_refused_with_words(patch: str, words: str, desk: Browser) -> None:
    failed()
    answer = desk.post(f"{REPAIR}?status=failed", fill(patch) | {"start": "1"})
    assert answer.status_code == 200
    assert words in text_of(answer.content.decode())
    assert_untouched()


def test_nothing_fits_and_nothing_starts(desk: Browser) -> None:
    EntryFactory.create(succeeded=True)
    answer = desk.post(f"{REPAIR}?status=succeeded", fill() | {"start": "1"})
    assert "Nothing can be repaired and retried" in text_of(answer.content.decode())
    assert_untouched()


@pytest.mark.parametrize("query", ["", "ids=", "ids=1,x", "ids=-1", "nonsense=1", "status=odd"])
def test_an_address_that_selects_nothing_leads_back(query: str, desk: Browser) -> None:
    answer = desk.get(f"{REPAIR}?{query}")
    assert (answer.status_code, answer["Location"]) == (302, ENTRIES)


@pytest.mark.parametrize("lacking", ["entries.change_entry", "entries.retry_entry"])
def test_it_needs_both_permissions(lacking: str, reader: "User") -> None:
    (entry,) = failed()
    both = {"entries.change_entry", "entries.retry_entry", "retry.view_operation"}
    browser = Browser(grant(reader, *(both - {lacking})))
    assert browser.get(f"{REPAIR}?status=failed").status_code == 403
    assert browser.post(f"{REPAIR}?status=failed", fill() | {"start": "1"}).status_code == 403
    assert "Repair…" not in browser.read(ENTRIES)
    assert browser.post(f"{OPERATIONS}{uuid4()}/undo/").status_code in {403, 404}
    entry.refresh_from_db()
    assert_untouched()
