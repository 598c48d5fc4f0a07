"""Who may see entries and not their payloads sees nothing of them, anywhere, nor by a filter."""

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission

from entries.filters import EntryFilter
from entries.models import Attempt, Edit, Entry
from retry import service
from retry.models import Action, AuditEvent, Sync
from retry.operations import control
from retry.operations.selection import Selection
from tests.admin.browsing import ENTRIES, Browser
from tests.admin.walking import addresses, populate
from tests.api.calls import PREFIX, Caller, ok, problem
from tests.factories.entries import EntryFactory
from tests.factories.users import UserFactory
from tests.support.asking import SCRIPT

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

MARK = "paymarked"
FILTER = f"payload.customer={MARK}"
_LEFT_OUT = {"logout", "password_change", "password_change_done", "jsi18n"}


@pytest.fixture
def blindfolded() -> "User":
    """Everything but payloads."""
    user = UserFactory.create(username="blindfolded", is_staff=True)
    user.user_permissions.set(Permission.objects.exclude(codename="view_payload"))
    return type(user).objects.get(pk=user.pk)


@pytest.fixture
def made() -> dict[str, Any]:
    found = populate()
    entry: Entry = found["entries_entry"]
    payload = {"customer": MARK}
    Entry.objects.filter(pk=entry.pk).update(payload=payload)
    exchange = {"request": {"method": "POST", "body": MARK}, "response": None}
    Attempt.objects.filter(entry=entry).update(result=exchange)
    Edit.objects.create(
        entry=entry, attempt=1, payload_before={}, payload_after=payload, hash_after="x"
    )
    EntryFactory.create_batch(6, failed=True, payload=payload, source=entry.source)
    EntryFactory.create_batch(6, succeeded=True, source=entry.source)
    event = AuditEvent.objects.create(
        verb="edit_and_retry", actor_label="anna", channel="api", entry_id=entry.pk,
        after={"payload": payload},
    )  # fmt: skip
    service.save_view("By payload", EntryFilter(payload={"customer": (MARK,)}), actor=SCRIPT)
    service.save_view("Searched", EntryFilter(q=FILTER), actor=SCRIPT)
    chosen = EntryFilter(payload={"customer": (MARK,)})
    operation = control.start(Selection(filter=chosen), action=Action.RETRY, actor=SCRIPT)
    sample = [{"external_id": "a", "title": "a", "what": "changed", "changes": [MARK]}]
    Sync.objects.filter(pk=found["retry_sync"].pk).update(sample=sample)
    return found | {"retry_operation": operation, "retry_auditevent": event}


def read_all(user: "User", made: dict[str, Any]) -> dict[str, str]:
    browser = Browser(user)
    urls = [each.url for each in addresses(made) if each.name not in _LEFT_OUT]
    urls += [PREFIX + path for path in (
        "entries", f"entries/{made['entries_entry'].pk}", "operations", "syncs",
        f"operations/{made['retry_operation'].pk}", f"syncs/{made['retry_sync'].pk}",
    )]  # fmt: skip
    found = {url: browser.get(url).content.decode() for url in urls}
    for name in ("csv", "json"):
        answer: Any = browser.post(f"{ENTRIES}export/", {"format": name})
        found[name] = b"".join(answer.streaming_content).decode()
    return found


def test_no_page_call_or_file_has_them(
    blindfolded: "User", chief: "User", made: dict[str, Any]
) -> None:
    seen = read_all(blindfolded, made)
    assert [url for url, text in seen.items() if MARK in text] == []
    shown = [url for url, text in read_all(chief, made).items() if MARK in text]
    entry = made["entries_entry"].pk
    for url in (f"{ENTRIES}{entry}/change/", f"{ENTRIES}{entry}/history/", ENTRIES, "csv", "json",
                f"{PREFIX}entries/{entry}", f"{PREFIX}syncs/{made['retry_sync'].pk}",
                f"/admin/retry/operation/{made['retry_operation'].pk}/change/"):  # fmt: skip
        assert url in shown, "so that the test above says something"


@pytest.mark.parametrize("query", [FILTER, f"q={FILTER}"])
@pytest.mark.parametrize("path", ["", "facets/", "export/"])
def test_no_list_is_filtered_by_them(blindfolded: "User", path: str, query: str) -> None:
    assert Browser(blindfolded).get(f"{ENTRIES}{path}?{query}").status_code == 403


def test_no_call_is_filtered_by_them(blindfolded: "User", made: dict[str, Any]) -> None:
    caller = Caller(blindfolded)
    for query in ({"payload.customer": MARK}, {"q": FILTER}):
        problem(caller.get("entries", **query), 403, "permission_denied")
    for chosen in ({"payload": {"customer": MARK}}, {"q": FILTER}):
        for path in ("retry/bulk", "discard", "resync"):
            body = {"filter": chosen, "dry_run": True}
            problem(caller.post(path, body), 403, "permission_denied")


def test_neither_previews_nor_the_next_one(blindfolded: "User", made: dict[str, Any]) -> None:
    browser = Browser(blindfolded)
    for name in ("preview", "preview/numbers", "repair"):
        url = f"/admin/retry/operation/{name}/?action=retry&{FILTER}"
        assert browser.get(url).status_code == 403, name
    url = f"{ENTRIES}{made['entries_entry'].pk}/next/"
    shown = {"_changelist_filters": FILTER}
    assert browser.get(url, shown).status_code == 403


def test_a_title_may_be_edited_without_seeing_the_payload(
    blindfolded: "User", made: dict[str, Any]
) -> None:
    entry = Entry.objects.get(pk=made["entries_entry"].pk)
    page: Any = Browser(blindfolded).get(f"{ENTRIES}{entry.pk}/change/")
    seen = page.context["adminform"].form.initial["seen"]
    form = {"title": "better", "seen": seen, "payload": '{"customer": 1}'}
    answer: Any = Browser(blindfolded).post(f"{ENTRIES}{entry.pk}/change/", form)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    now = Entry.objects.get(pk=entry.pk)
    assert (now.title, now.payload) == ("better", entry.payload)


def test_with_the_permission_all_is_as_before(chief: "User", made: dict[str, Any]) -> None:
    found = ok(Caller(chief).get(f"entries/{made['entries_entry'].pk}"))
    assert found["payload"] == {"customer": MARK}
    assert ok(Caller(chief).get("entries", **{"payload.customer": MARK}))["results"]
