"""Every address of the API, as its URLs have it, and what is sent to it."""

from collections.abc import Callable
from uuid import UUID

from django.urls import URLPattern, reverse
from django.utils import timezone

from entries.content import content_hash
from entries.models import Edit, Entry
from retry.api import urls
from retry.models import ErrorGroup, Hold, Operation, Run, SavedView, Subscription, Sync
from tests.api.calls import PREFIX
from tests.factories.entries import EntryFactory, SourceFactory

OPERATION = UUID(int=1)
#: What only an operation that awaits approval accepts.
DECISIONS = {"approve", "reject"}
#: An id that the sequences do not come to.
FAR = 10**9
ENTRY = FAR
#: Of an error group that nothing else has.
FINGERPRINT = "1-walked"
TITLE, PAYLOAD = "An entry", {"url": "http://page.example/1"}

#: Name of an address that is written to -> a body with which it would do something. A new address
#: is missing here until somebody adds it.
BODIES: dict[str, dict[str, object]] = {
    "retry": {"entry_id": ENTRY},
    "retry-bulk": {"entry_ids": [ENTRY]},
    "retry-now": {"filter": {"status": "scheduled"}},
    "retry-stop": {"filter": {"status": "scheduled"}},
    "resync": {"filter": {"all": True}},
    "discard": {"entry_ids": [ENTRY]},
    "restore": {"filter": {"all": True}},
    "pause": {},
    "resume": {},
    "cancel": {},
    "reschedule": {"start_at": "2099-01-31T06:00:00Z"},
    "approve": {},
    "reject": {},
    "retry-failed": {},
    "source-sync": {"dry_run": False},
    "holds": {"kind": "page"},
    "lift": {},
    "acknowledge": {},
    "note": {"text": "looked at"},
    "mute": {"above": 10},
    "unmute": {},
    "resolve": {},
    "reopen": {},
    "prove": {},
    "repair": {
        "entry_ids": [ENTRY],
        "repair": {"patch": [{"op": "add", "path": "/n", "value": 1}]},
    },
    "undo": {},
    "edit": {"seen": content_hash(TITLE, PAYLOAD), "title": "Another"},
    "view-rename": {"name": "Another"},
    "view-delete": {},
    "subscription-change": {"active": False},
    "subscription-delete": {},
    "subscription-test": {},
}
#: What is answered where it is not accepted for later.
STEERED = ("pause", "resume", "cancel", "reschedule", "approve", "reject")
ON_GROUPS = ("acknowledge", "note", "mute", "unmute", "resolve", "reopen")
ON_VIEWS = ("view-rename", "view-delete")
ON_SUBSCRIPTIONS = ("subscription-change", "subscription-delete")
AT_ONCE = (*STEERED, *ON_GROUPS, *ON_VIEWS, *ON_SUBSCRIPTIONS, "lift")
ANSWERS = {**dict.fromkeys(AT_ONCE, 200), "holds": 201}
READ = {
    "entries",
    "entry",
    "status",
    "operations",
    "operation",
    "items",
    "syncs",
    "sync",
    "run",
    "hold",
    "errors",
    "error",
    "sources",
    "source",
    "kinds",
    "audit",
    "views",
    "view",
    "subscriptions",
    "subscription",
    "openapi",
}
#: Addresses that are read by GET and written to by POST.
ALSO_WRITTEN: dict[str, dict[str, object]] = {
    "entries": {"kind": "page", "entries": [{"external_id": "pushed", "payload": {}}]},
    "views": {"name": "Failed", "filter": {"status": "failed"}},
    "subscriptions": {"events": ["outage_began"], "address": "a@desk.example"},
}


def _set_state(state: str) -> object:
    return ErrorGroup.objects.update(
        state=state, mute_above=10, resolved_at=timezone.now(), resolved_by="somebody"
    )


def _repair() -> None:
    Operation.objects.filter(pk=OPERATION).update(action="repair")
    Edit.objects.create(
        entry_id=ENTRY, attempt=1, payload_before={}, payload_after=PAYLOAD, hash_after="x"
    )


#: Name of an address -> makes it so that it would do something.
BEFORE: dict[str, Callable[[], object]] = {
    "unmute": lambda: _set_state("muted"),
    "reopen": lambda: _set_state("resolved"),
    "undo": _repair,
}


def patterns() -> dict[str, URLPattern]:
    return {p.name: p for p in urls.urlpatterns if p.name}


def addresses() -> list[str]:
    return [name for name in patterns() if name != "nothing"]


def values() -> dict[str, object]:
    """What the parameters of paths stand for."""
    return {
        "entry_id": ENTRY,
        "operation_id": OPERATION,
        "run_id": OPERATION,
        "sync_id": FAR,
        "slug": "news",
        "hold_id": FAR,
        "group_id": FAR,
        "view_id": FAR,
        "subscription_id": FAR,
    }


def path_of(name: str) -> str:
    kwargs = {key: values()[key] for key in patterns()[name].pattern.converters}
    return reverse(f"api:{name}", kwargs=kwargs).removeprefix(PREFIX)


def furnish() -> Entry:
    """What the paths and the bodies speak of; returns the failed entry."""
    source = SourceFactory.create(slug="news")
    Sync.objects.create(id=FAR, source=source, state="failed", error_code="unreachable")
    Operation.objects.create(
        id=OPERATION, action="retry", selection_words="nothing", source_ids=[source.pk]
    )
    Hold.objects.create(id=FAR, kind="scripted", actor_label="somebody")
    SavedView.objects.create(id=FAR, name="Shared", filter={"status": "failed"}, shared=True)
    # For all, and quiet: what is done to the rest must not be told.
    Subscription.objects.create(
        id=FAR, events=["dispatcher_silent"], channel="mail", address="all@desk.example"
    )
    ErrorGroup.objects.create(
        id=FAR,
        fingerprint=FINGERPRINT,
        error_class="TransientError",
        message="HTTP 503",
        first_seen=timezone.now(),
        last_seen=timezone.now(),
    )
    entry: Entry = EntryFactory.create(
        id=ENTRY,
        failed=True,
        fingerprint=FINGERPRINT,
        title=TITLE,
        payload=PAYLOAD,
        source=source,
    )
    Run.objects.create(
        id=OPERATION, trigger="retry", kind="page", entry_ids=[ENTRY], size=1, state="finished"
    )
    return entry
