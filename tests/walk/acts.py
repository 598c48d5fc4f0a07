"""Forms that would do something at the admin if they were let."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from entries.content import content_hash
from entries.models import Attempt, Edit, Entry
from entries.sources.files import uploads
from retry.models import ErrorGroup, Hold, Import, Operation, Run, SavedView, Sync
from tests.factories.entries import EntryFactory
from tests.support.error_groups import note_failures

if TYPE_CHECKING:
    from django.contrib.auth.models import User

Made = dict[str, Any]
_PASSWORD = "a-longer-passphrase-of-words"
_NEW_PASSWORD = {"password1": _PASSWORD, "password2": _PASSWORD, "usable_password": "true"}
_SOURCE = {
    "name": "Another",
    "slug": "another",
    "kind": "feed",
    "location": "https://planet.example/atom",
    "options": "{}",
    "entry_kind": "page",
    "enabled": "on",
}
_ENDPOINT = {"slug": "another", "name": "Another", "url": "https://h.example/in", "enabled": "on"}
_SUBSCRIPTION = {"events": ["group_new"], "channel": "mail", "address": "a@desk.example"}

#: Name of an address -> what is sent to it. To an address that is missing here goes ``forged``.
FORMS: dict[str, Callable[[Made], dict[str, Any]]] = {
    "password_change": lambda _: {
        "old_password": _PASSWORD,
        "new_password1": f"{_PASSWORD}-again",
        "new_password2": f"{_PASSWORD}-again",
    },
    "entries_entry_change": lambda made: {
        "title": "changed",
        "payload": '{"url": "http://page.example/2"}',
        "seen": content_hash(made["entries_entry"].title, made["entries_entry"].payload),
    },
    "entries_entry_export": lambda _: {"format": "csv"},
    "entries_entry_view_save": lambda _: {"name": "Broken", "query": "status=failed"},
    "entries_entry_view_rename": lambda _: {"name": "Broken"},
    "entries_entry_import": lambda _: {
        "import_file": SimpleUploadedFile("a.csv", b"external_id\na\n", "text/csv"),
        "kind": "page",
    },
    "entries_source_add": lambda _: _SOURCE,
    "entries_source_change": lambda _: _SOURCE,
    "entries_endpoint_add": lambda _: _ENDPOINT,
    "entries_endpoint_change": lambda _: _ENDPOINT,
    "retry_operation_preview": lambda _: {"key": "0" * 32},
    "retry_operation_repair": lambda _: {
        "key": "0" * 32,
        "patch": '[{"op": "add", "path": "/n", "value": 1}]',
        "start": "1",
    },
    "retry_hold_put": lambda _: {"kind": "page"},
    "retry_errorgroup_note": lambda _: {"text": "known"},
    "retry_errorgroup_mute": lambda _: {"hours": "1"},
    "retry_errorgroup_prove": lambda _: {"action": "retry", "canary_size": "1"},
    "retry_subscription_add": lambda _: _SUBSCRIPTION,
    "retry_subscription_change": lambda _: _SUBSCRIPTION | {"active": "on"},
    "auth_user_add": lambda _: {"username": "another"} | _NEW_PASSWORD,
    "auth_user_change": lambda _: {
        "username": "renamed",
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
    },
    "auth_user_password_change": lambda _: _NEW_PASSWORD,
    "retry_operation_reschedule": lambda _: {"start_at": "2099-01-31T06:00"},
    "auth_group_add": lambda _: {"name": "another"},
    "auth_group_change": lambda _: {"name": "renamed"},
}
#: What stands behind the ``?`` of an address, without which it has nothing to show.
_PREVIEW = "?action=retry&status=failed"
QUERIES = {
    "retry_operation_preview": _PREVIEW,
    "retry_operation_numbers": _PREVIEW,
    "retry_operation_repair": "?status=failed",
}


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


def form_for(name: str, made: Made) -> dict[str, Any]:
    return FORMS[name](made) if name in FORMS else forged()


def ticked(obj: Any, action: str) -> dict[str, Any]:
    return {"_selected_action": [obj.pk], "action": action, "index": "0", "post": "yes"}


def furnish(made: Made, user: "User | None") -> None:
    """Make ready what would otherwise leave nothing to do, for ``user`` as for anybody."""
    if user is not None:
        user.set_password(_PASSWORD)
        user.save(update_fields=["password"])
    location = uploads.new_location("a.csv")
    uploads.store(location, ContentFile(b"external_id\na\n"))
    Import.objects.filter(pk=made["retry_import"].pk).update(
        location=location, total=1, created=1, actor=user
    )


def _entry(made: Made, **trait: bool) -> Made:
    return {"entries_entry": EntryFactory.create(**trait, source=made["entries_source"])}


def _paused(made: Made, *, cause: str) -> Made:
    Operation.objects.filter(pk=made["retry_operation"].pk).update(
        state="paused", pause_cause=cause, canary_size=1
    )
    return {}


def _view(made: Made) -> Made:
    """With the id that the address has."""
    SavedView.objects.create(pk=made["entries_entry"].pk, name="Old", filter={}, shared=True)
    return {}


def _awaiting(made: Made) -> Made:
    Operation.objects.filter(pk=made["retry_operation"].pk).update(state="awaiting_approval")
    return {}


def _repaired(made: Made) -> Made:
    operation = made["retry_operation"]
    Operation.objects.filter(pk=operation.pk).update(action="repair", state="completed")
    entry = EntryFactory.create(failed=True, source=made["entries_source"])
    run = Run.objects.create(
        operation=operation,
        kind=entry.kind,
        source=entry.source,
        queue="bulk",
        entry_ids=[entry.pk],
        size=1,
    )
    Attempt.objects.create(entry=entry, number=2, run_id=run.pk, status="failed")
    Edit.objects.create(
        entry=entry,
        attempt=2,
        payload_before={"url": "http://before.example/"},
        payload_after=entry.payload,
        hash_after=entry.content_hash,
    )
    return {}


def _held() -> Made:
    Hold.objects.all().delete()
    return {"retry_hold": Hold.objects.create(kind="page", actor_label="somebody")}


def _group(made: Made, state: str, *, muted: bool = False) -> Made:
    source = made["entries_source"]
    entry = EntryFactory.create(failed=True, fingerprint="1-walk", source=source)
    ErrorGroup.objects.filter(fingerprint=entry.fingerprint).delete()
    group = note_failures(entry.fingerprint)
    ErrorGroup.objects.filter(pk=group.pk).update(
        state=state, resolved_at=timezone.now(), mute_above=1 if muted else None
    )
    return {"retry_errorgroup": group}


def _no_sync() -> Made:
    """Another is not made while one is open."""
    Sync.objects.all().delete()
    return {}


#: Name of an address or of an action in a list -> makes it so that it would do something; returns
#: what to do it to, where that is something else than before.
BEFORE: dict[str, Callable[[Made], Made]] = {
    "entries_entry_retry_now": lambda made: _entry(made, scheduled=True),
    "entries_entry_restore": lambda made: _entry(made, discarded=True),
    "entries_entry_stop": lambda made: _entry(made, scheduled=True),
    "retry_now_selected": lambda made: _entry(made, scheduled=True),
    "stop_selected": lambda made: _entry(made, scheduled=True),
    "restore_selected": lambda made: _entry(made, discarded=True),
    "retry_operation_resume": lambda made: _paused(made, cause="person"),
    "retry_operation_overrule": lambda made: _paused(made, cause="canary"),
    "retry_operation_approve": _awaiting,
    "retry_operation_reject": _awaiting,
    "retry_operation_undo": _repaired,
    "retry_hold_lift": lambda _: _held(),
    "entries_source_sync": lambda _: _no_sync(),
    "retry_errorgroup_unmute": lambda made: _group(made, "muted", muted=True),
    "retry_errorgroup_reopen": lambda made: _group(made, "resolved"),
    "entries_entry_view_rename": _view,
    "entries_entry_view_delete": _view,
}
