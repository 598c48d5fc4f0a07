"""Every address of the admin, visited by everybody; a new one is visited without being listed."""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest

from tests.admin.browsing import Browser
from tests.admin.walking import Address, addresses, populate
from tests.factories.users import UserFactory
from tests.walk.visits import GROUP, visit_admin
from tests.walk.words import REFUSED, Visit

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("folder"),
    pytest.mark.xdist_group(GROUP),
    pytest.mark.timeout(1200),
]

#: For whoever is staff, whatever they may do.
FOR_ALL_STAFF = {
    "retry_api",
    "index",
    "retry_desk",
    "login",
    "password_change",
    "password_change_done",
    "jsi18n",
}
#: Changes who is asking, so the walk leaves it out.
ENDS_THE_WALK = {"logout", "login", "password_change"}
VERBS = {
    "entries_entry_retry",
    "entries_entry_retry_now",
    "entries_entry_stop",
    "entries_entry_resync",
    "entries_entry_restore",
    "entries_entry_discard",
    "entries_entry_view_rename",
    "entries_entry_view_delete",
    "retry_import_confirm",
    "entries_source_sync",
    "entries_source_dry_run",
    "retry_operation_pause",
    "retry_operation_resume",
    "retry_operation_overrule",
    "retry_operation_undo",
    "retry_operation_cancel",
    "retry_operation_approve",
    "retry_operation_reject",
    "retry_operation_reschedule",
    "retry_hold_put",
    "retry_hold_lift",
    "retry_errorgroup_acknowledge",
    "retry_errorgroup_note",
    "retry_errorgroup_mute",
    "retry_errorgroup_unmute",
    "retry_errorgroup_resolve",
    "retry_errorgroup_reopen",
    "retry_errorgroup_prove",
}
#: What readers may change: what they keep for themselves.
OWN = {"entries_entry_view_save", "retry_subscription_add", "retry_subscription_test"}


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
    for _, visit in visit_admin("anonymous"):
        if visit.name == "login":
            assert visit.status == 200
        elif visit.name == "logout":
            assert visit.location == "/admin/"
        else:
            assert visit.status == 302, visit
            assert visit.location.startswith("/admin/login/?next="), visit
        assert not visit.trace.changed, visit


def test_staff_without_permissions_see_nothing_and_change_nothing() -> None:
    for _, visit in visit_admin("staff"):
        if visit.name in ENDS_THE_WALK:
            continue
        if visit.name not in FOR_ALL_STAFF:
            _refused(visit)
        assert not visit.trace.changed, visit


def _refused(visit: Visit) -> None:
    """403 and the like, or a redirect: to an address that will refuse, or home, because for who
    may not see it there is no such thing."""
    sent = visit.location
    assert sent == "/admin/" or sent.endswith("/change/") or visit.status in {403, 404, 405}, visit


def test_readers_read_and_change_nothing() -> None:
    read = 0
    for _, visit in visit_admin("reader"):
        if visit.name in ENDS_THE_WALK:
            continue
        assert visit.status < 500, visit
        if visit.method == "GET":
            read += visit.name.startswith("entries_entry") and visit.status == 200
        if visit.name in VERBS:
            assert visit.status == (405 if visit.method == "GET" else 403), visit
        if visit.act:
            assert visit.word == REFUSED
        assert not visit.trace.changed or visit.name in OWN, visit
    assert read >= 4, "the list, the page, its history and its changing part"


@cache
def read_all() -> Sequence[tuple[Address, Any]]:
    """Return every address with what a superuser is answered there; read once for two tests."""
    browser = Browser(UserFactory.create(is_staff=True, is_superuser=True))
    found = [address for address in addresses(populate()) if address.name != "logout"]
    return [(address, browser.get(address.url)) for address in found]


def test_the_chief_can_read_every_page() -> None:
    for address, answer in read_all():
        allowed = {200, 301, 302, 403, 404} | ({405} if address.name in VERBS | OWN else set())
        assert answer.status_code in allowed, address
        if answer.status_code == 403:
            assert address.name.endswith(("_add", "_delete", "autocomplete")), address


def test_no_page_has_a_style_or_script_inline() -> None:
    """The content policy would block it, and the page would be broken for everybody."""
    ours = ("entries", "retry", "index")
    for address, answer in read_all():
        if not address.name.startswith(ours) or address.name in VERBS:
            continue
        if answer.status_code != 200:
            continue
        page = answer.content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page), address
        scripts = re.findall(r"<script(?![^>]*\ssrc=)(?![^>]*type=\"application/json\")", page)
        assert not scripts, address
        assert "script-src 'self'" in answer["Content-Security-Policy"]
