"""Every address of the admin, visited by everybody; a new one is visited without being listed."""

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps

from entries.models import Entry
from retry import audit
from tests.admin.browsing import Browser
from tests.admin.walking import addresses, populate

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

#: For whoever is staff, whatever they may do.
FOR_ALL_STAFF = {"index", "login", "password_change", "password_change_done", "jsi18n"}
#: Changes who is asking, so the walk leaves it out.
ENDS_THE_WALK = {"logout", "login", "password_change"}
VERBS = {
    "entries_entry_retry",
    "entries_entry_retry_now",
    "entries_entry_stop",
    "entries_entry_resync",
    "retry_import_confirm",
    "entries_source_sync",
    "entries_source_dry_run",
    "retry_operation_pause",
    "retry_operation_resume",
    "retry_operation_overrule",
    "retry_operation_cancel",
    "retry_hold_put",
    "retry_hold_lift",
}


def everything() -> dict[str, list[Any]]:
    """All rows of all tables that the admin could touch, but the notes of what was refused."""
    left_out = {"sessions.Session", "admin.LogEntry"}
    rows = {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models()
        if model._meta.label not in left_out and model._meta.managed
    }
    events = rows["retry.AuditEvent"]
    return rows | {"retry.AuditEvent": [e for e in events if e["verb"] != audit.REFUSED]}


def forged() -> dict[str, Any]:
    """Fields that some view or other takes for a command."""
    return {
        "_selected_action": list(Entry.objects.values_list("pk", flat=True)),
        "action": [
            "retry_selected",
            "resync_selected",
            "stop_selected",
            "sync_selected",
            "delete_selected",
            "discard_selected",
        ],
        "key": "0" * 32,
        "index": "0",
        "select_across": "0",
        "post": "yes",
        "_save": "Save",
        "title": "forged",
        "name": "forged",
        "username": "forged",
        "status": "succeeded",
        "reason": "forged",
    }


def test_the_resolver_knows_the_desk() -> None:
    walk = addresses(populate())
    names = {address.name for address in walk}
    assert names >= VERBS
    assert {
        "index",
        "retry_status",
        "entries_entry_live",
        "retry_run_changelist",
        "retry_sync_live",
    } <= names
    assert not [a for a in walk if "django_rq" in a.url], "RQ's dashboard has no guards"


def test_nobody_gets_anywhere_without_logging_in() -> None:
    made = populate()
    before = everything()
    for address in addresses(made):
        for answer in (Browser().get(address.url), Browser().post(address.url, forged())):
            if address.name == "login":
                assert answer.status_code == 200
            elif address.name == "logout":
                assert answer["Location"] == "/admin/"
            else:
                assert answer.status_code == 302, address
                assert answer["Location"].startswith("/admin/login/?next="), address
    assert everything() == before


def test_staff_without_permissions_see_nothing_and_change_nothing(powerless: "User") -> None:
    made = populate()
    browser = Browser(powerless)
    before = everything()
    for address in addresses(made):
        if address.name in ENDS_THE_WALK:
            continue
        seen = browser.get(address.url)
        if address.name not in FOR_ALL_STAFF:
            _refused(seen, address)
        tried = browser.post(address.url, forged())
        if address.name not in FOR_ALL_STAFF:
            _refused(tried, address)
    assert everything() == before


def _refused(answer: Any, address: object) -> None:
    """403 and the like, or a redirect: to an address that will refuse, or home, because for who
    may not see it there is no such thing."""
    sent = answer.get("Location", "")
    assert (
        sent == "/admin/" or sent.endswith("/change/") or answer.status_code in {403, 404, 405}
    ), (address, answer.status_code)


def test_readers_read_and_change_nothing(reader: "User") -> None:
    made = populate()
    browser = Browser(reader)
    before = everything()
    read = 0
    for address in addresses(made):
        if address.name in ENDS_THE_WALK:
            continue
        seen = browser.get(address.url)
        assert seen.status_code < 500, address
        read += address.name.startswith("entries_entry") and seen.status_code == 200
        tried = browser.post(address.url, forged())
        assert tried.status_code < 500, address
        if address.name in VERBS:
            assert (seen.status_code, tried.status_code) == (405, 403), address
    assert read >= 4, "the list, the page, its history and its changing part"
    assert everything() == before


def test_the_chief_can_read_every_page(chief: "User") -> None:
    browser = Browser(chief)
    for address in addresses(populate()):
        if address.name == "logout":
            continue
        answer = browser.get(address.url)
        allowed = {200, 301, 302, 403, 404} | ({405} if address.name in VERBS else set())
        assert answer.status_code in allowed, address
        if answer.status_code == 403:
            assert address.name.endswith(("_add", "_delete", "autocomplete")), address


def test_no_page_has_a_style_or_script_inline(chief: "User") -> None:
    """The content policy would block it, and the page would be broken for everybody."""
    browser = Browser(chief)
    ours = ("entries", "retry", "index")
    for address in addresses(populate()):
        if not address.name.startswith(ours) or address.name in VERBS:
            continue
        answer = browser.get(address.url)
        if answer.status_code != 200:
            continue
        page = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page), address
        scripts = re.findall(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", page)
        assert not scripts, address
        assert "script-src 'self'" in answer["Content-Security-Policy"]
