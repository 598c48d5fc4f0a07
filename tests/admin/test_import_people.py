"""Who may import, and see and confirm what."""

from typing import TYPE_CHECKING

import pytest

from entries.models import Entry
from retry.imports.work import perform
from retry.models import Import
from tests.admin.browsing import Browser, page_of, text_of
from tests.admin.transfers import (
    IMPORT,
    csv_file,
    never,
    press_confirm,
    preview,
    upload,
)
from tests.conftest import grant

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("folder")]


def test_whoever_may_not_submit_may_not_import(
    operator: "User", reader: "User", chief: "User"
) -> None:
    row = preview(Browser(chief), csv_file("external_id\n1\n"))
    for user in (operator, reader):
        browser = Browser(user)
        assert "Import" not in text_of(browser.read("/admin/entries/entry/"))
        assert browser.get(IMPORT).status_code == 403
        assert upload(browser, csv_file("external_id\n1\n")).status_code == 403
        assert browser.get("/admin/retry/import/").status_code == 403
        assert browser.get(page_of(row)).status_code == 403
        assert press_confirm(browser, row).status_code == 403
    assert Import.objects.count() == 1
    assert not Entry.objects.exists()


def test_nobody_confirms_what_somebody_else_uploaded(importer: Browser, chief: "User") -> None:
    row = preview(importer, csv_file("external_id\n1\n"))
    other = Browser(chief)
    page = other.read(page_of(row))
    assert "Import and queue" not in page
    assert press_confirm(other, row).status_code == 404
    assert not Import.objects.filter(confirms=row).exists()


def test_only_who_may_see_syncs_or_the_audit_sees_those_of_others(
    importer: Browser, reader: "User"
) -> None:
    row = preview(importer, csv_file("external_id,title\n1,Secret\n"))
    live = f"/admin/retry/import/{row.pk}/live/"
    browser = Browser(grant(reader, "entries.submit_entry"))
    assert "entries.csv" not in browser.read("/admin/retry/import/")
    assert browser.get(page_of(row)).status_code == 302, "home, as for what is not there"
    assert browser.get(live).status_code == 404
    own = preview(browser, csv_file("external_id,title\n2,Own\n"))
    assert "Own" in browser.read(page_of(own))
    for permission in ("retry.view_sync", "retry.view_auditevent"):
        reader.user_permissions.clear()
        user = grant(reader, "entries.view_entry", "entries.submit_entry", permission)
        assert "Secret" in Browser(user).read(page_of(row))
        assert "entries.csv" in Browser(user).read("/admin/retry/import/")


def test_a_permission_that_is_gone_stops_the_worker(importer: Browser, operator: "User") -> None:
    row = preview(importer, csv_file("external_id\n1\n"))
    press_confirm(importer, row)
    operator.user_permissions.clear()
    done = Import.objects.get(confirms=row)
    perform(done.pk, stop=never)
    done.refresh_from_db()
    assert (done.state, done.error_code) == ("failed", "permission_denied")
    assert not Entry.objects.exists()


def test_nor_does_one_whose_user_is_gone_act_as_the_system(
    importer: Browser, operator: "User"
) -> None:
    row = preview(importer, csv_file("external_id\n1\n"))
    press_confirm(importer, row)
    operator.delete()
    done = Import.objects.get(confirms=row)
    perform(done.pk, stop=never)
    done.refresh_from_db()
    assert (done.state, done.error_code) == ("failed", "permission_denied")
