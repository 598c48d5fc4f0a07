"""Everything that the desk shows, with the worst texts that the outside world has for it."""

from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.utils import timezone

from entries.models import Attempt, Entry, Source
from retry.models import ApiToken, AuditEvent, Hold, Notice, Operation, Run, Sync
from tests.factories.entries import EndpointFactory, EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.support.error_groups import note_failures
from tests.support.notices import note_test, subscribe_to

LONG = "unbroken" * 63  # 504 characters
RTL = "שלום עולם (שלום) 123 - \u202edlrow olleh"
CONTROLS = "bell\x07 escape\x1b[31m zero\u200b\u200d width \u2066\u202e"
BLANKS = ("", " ", "\t \n", "\u200b\u200b", "\u3000", "\u202e", "\x07")


def entry(**fields: Any) -> Entry:
    given: dict[str, Any] = {
        "failed": True,
        "title": LONG[:500],
        "external_id": f"{uuid4()}{LONG}"[:500],
        "payload": {LONG: LONG, "list": [LONG]},
        "error_class": LONG[:200],
        "error_message": LONG[:500],
    }
    made: Entry = EntryFactory.create(**given | fields)
    Attempt.objects.filter(entry=made).update(
        worker=LONG[:200], traceback=f"Traceback\n  {LONG}", result={"found": LONG}
    )
    return made


def source(**fields: Any) -> Source:
    given: dict[str, Any] = {
        "slug": LONG[:80],
        "name": LONG[:200],
        "location": f"https://{LONG}.example/{LONG}"[:2000],
        "last_error": LONG,
        "last_synced_at": timezone.now(),
    }
    made: Source = SourceFactory.create(**given | fields)
    return made


def add_notice() -> Notice:
    """One with long words, to a long address, of which nothing can be broken at a space."""
    address = f"{'a' * 60}@{'b' * 60}.example"
    notice = note_test(subscribe_to(address=address))
    Notice.objects.filter(pk=notice.pk).update(subject=LONG[:200], text=LONG)
    notice.refresh_from_db()
    return notice


def everything() -> dict[str, Any]:
    """One object of each model with texts as long as they may be, by ``app_model``."""
    user = UserFactory.create(
        username=LONG[:150], first_name=LONG[:150], email=f"{LONG[:60]}@x.example"
    )
    at, one = timezone.now(), source()
    it = entry(source=one)
    operation = Operation.objects.create(
        action="retry",
        actor_label=LONG[:150],
        reason=LONG[:500],
        selection={"filter": {"q": LONG[:200]}},
        selection_words=LONG[:500],
        total=1,
        state="paused",
        pause_reason=LONG[:300],
        started_at=at,
    )
    run = Run.objects.create(
        pk=it.attempts.get().run_id,
        operation=operation,
        trigger="bulk_retry",
        actor_label=LONG[:150],
        reason=LONG[:500],
        kind=it.kind,
        source=one,
        entry_ids=[it.pk],
        size=1,
        failed=1,
        state="finished",
        job_id=LONG[:100],
        worker=LONG[:200],
        started_at=at,
        ended_at=at,
    )
    sample = {
        "what": "updated",
        "external_id": LONG[:500],
        "title": LONG[:500],
        "changes": [{"key": LONG, "before": LONG, "after": LONG}],
    }
    sync = Sync.objects.create(
        source=one,
        state="succeeded",
        dry_run=True,
        reason=LONG[:500],
        actor_label=LONG[:150],
        notes=[LONG],
        sample=[sample],
        updated=1,
        started_at=at,
        ended_at=at,
    )
    Sync.objects.create(
        source=one,
        state="failed",
        error=LONG,
        error_code="unreachable",
        reason=LONG[:500],
        actor_label=LONG[:150],
    )
    hold = Hold.objects.create(source=one, actor_label=LONG[:150], reason=LONG[:500])
    event = AuditEvent.objects.create(
        actor_label=LONG[:150],
        channel="admin",
        verb="retry",
        count=1,
        reason=LONG[:500],
        entry_id=it.pk,
        run_id=run.pk,
        operation_id=operation.pk,
        before={"status": LONG},
        after={"status": LONG},
    )
    notice = add_notice()
    return {
        "entries_source": one,
        "entries_entry": it,
        "entries_endpoint": EndpointFactory.create(
            slug=LONG[:80], name=LONG[:200], url=f"https://receiver.example/{LONG}"
        ),
        "retry_run": run,
        "retry_operation": operation,
        "retry_errorgroup": note_failures(
            it.fingerprint,
            error_class=LONG[:200],
            message=LONG[:500],
            upstreams=(LONG[:200],),
            sample_entry_id=it.pk,
        ),
        "retry_sync": sync,
        "retry_hold": hold,
        "retry_auditevent": event,
        "retry_subscription": notice.deliveries.get().subscription,
        "retry_notice": notice,
        "retry_apitoken": ApiToken.objects.create(user=user, name=LONG[:100], digest="d" * 64),
        "auth_user": user,
        "auth_group": Group.objects.create(name=LONG[:150]),
    }
