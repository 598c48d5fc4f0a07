"""Runs, audit and tokens: to look at."""

from typing import TYPE_CHECKING

import pytest

from retry.access import tokens
from retry.models import ApiToken, AuditEvent, Run
from retry.outcomes import Actor, Channel
from retry.service import retry_entries
from tests.admin.browsing import Browser, page_of, text_of
from tests.conftest import grant
from tests.factories.entries import EntryFactory
from tests.support.asking import SCRIPT, queued_entries

if TYPE_CHECKING:
    from django.contrib.auth.models import User

pytestmark = pytest.mark.django_db

RUNS = "/admin/retry/run/"
AUDIT = "/admin/retry/auditevent/"
TOKENS = "/admin/retry/apitoken/"


@pytest.fixture
def auditor(reader: "User") -> Browser:
    return Browser(grant(reader, "retry.view_run", "retry.view_auditevent", "retry.view_apitoken"))


def test_a_run_says_who_asked_for_what_and_how_it_went(auditor: Browser, operator: "User") -> None:
    entry = EntryFactory.create(failed=True, kind="scripted", title="Release notes")
    actor = Actor.from_user(operator, channel=Channel.ADMIN)
    retry_entries([entry.pk], actor=actor, reason="upstream is back")
    Run.objects.update(succeeded=1, skipped_counts={"already_running": 2})
    run = Run.objects.get()
    listed = text_of(auditor.read(RUNS))
    assert run.pk.hex[:8] in listed
    assert "1 succeeded" in listed
    page = auditor.read(page_of(run))
    words = text_of(page)
    for expected in ("upstream is back", "operator", "2 already running", run.job_id):
        assert expected in words
    assert f'href="{page_of(entry)}"' in page
    assert f"#{entry.pk} Release notes" in words


def test_a_runs_entries_are_for_those_who_may_see_entries(powerless: "User") -> None:
    queued_entries()
    page = Browser(grant(powerless, "retry.view_run")).read(page_of(Run.objects.get()))
    assert "No entries that you may see." in text_of(page)


def test_runs_are_filtered_and_found(auditor: Browser) -> None:
    queued_entries(reason="x")
    assert "1 run" in text_of(auditor.read(f"{RUNS}?trigger=retry&state=queued&q=script"))
    assert "0 runs" in text_of(auditor.read(f"{RUNS}?trigger=resync"))
    assert "0 runs" in text_of(auditor.read(f"{RUNS}?kind=page"))


def test_the_audit_is_found_by_actor_entry_and_run(auditor: Browser) -> None:
    (id_,) = queued_entries()
    queued_entries(2)
    event = AuditEvent.objects.get(entry_id=id_)
    assert "2 audit events" in text_of(auditor.read(f"{AUDIT}?q=script"))
    assert "1 audit event" in text_of(auditor.read(f"{AUDIT}?q={id_}"))
    assert "1 audit event" in text_of(auditor.read(f"{AUDIT}?q={event.run_id}"))
    assert "0 audit events" in text_of(auditor.read(f"{AUDIT}?q=nobody"))
    assert "2 audit events" in text_of(auditor.read(f"{AUDIT}?verb=retry&channel=command"))
    page = auditor.read(page_of(event))
    assert f'href="/admin/entries/entry/{id_}/change/"' in page
    assert "queued" in page


def test_records_are_not_changed_or_added(chief: "User") -> None:
    queued_entries()
    browser = Browser(chief)
    for record in (Run.objects.get(), AuditEvent.objects.get()):
        assert browser.post(page_of(record), {"reason": "x"}).status_code == 403
        assert browser.post(page_of(record, "delete"), {"post": "yes"}).status_code == 403
    for url in (RUNS, AUDIT):
        assert browser.get(f"{url}add/").status_code == 403


def test_tokens_are_listed_without_what_they_are(auditor: Browser, operator: "User") -> None:
    token = tokens.create(operator, name="nightly", actor=SCRIPT)
    page = auditor.read(TOKENS) + auditor.read(page_of(ApiToken.objects.get()))
    assert "nightly" in page
    assert "Make a token" not in page
    assert token not in page
    assert ApiToken.objects.get().digest not in page
    assert "Revoke" not in page
    assert auditor.get(f"{TOKENS}?digest__startswith=a").status_code == 400


def test_a_token_is_revoked_one_by_one_and_by_ticking(
    auditor: Browser, reader: "User", operator: "User"
) -> None:
    for name in ("one", "two", "three"):
        tokens.create(operator, name=name, actor=SCRIPT)
    one, two, three = ApiToken.objects.order_by("pk")
    assert auditor.post(page_of(one, "delete"), {"post": "yes"}).status_code == 403
    keeper = Browser(grant(reader, "retry.delete_apitoken"))
    keeper.press(page_of(one, "delete"), post="yes")
    assert "Revoke selected" in keeper.read(TOKENS)
    keeper.press(TOKENS, action="delete_selected", _selected_action=[two.pk, three.pk], post="yes")
    assert not ApiToken.objects.filter(revoked_at=None).exists()
    revoked = AuditEvent.objects.filter(verb="revoke_token", actor_label="reader")
    assert {event.before["name"] for event in revoked if event.before} == {"one", "two", "three"}
