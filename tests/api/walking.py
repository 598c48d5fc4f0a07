"""Every address of the API, as its URLs have it, and what is sent to it."""

from uuid import UUID

from django.urls import URLPattern, reverse

from entries.models import Entry
from retry.api import urls
from retry.models import Hold, Operation, Sync
from tests.api.calls import PREFIX
from tests.factories.entries import EntryFactory, SourceFactory

OPERATION = UUID(int=1)
#: What only an operation that awaits approval accepts.
DECISIONS = {"approve", "reject"}
#: An id that the sequences do not come to.
FAR = 10**9
ENTRY = FAR

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
}
#: What is answered where it is not accepted for later.
STEERED = ("pause", "resume", "cancel", "reschedule", "approve", "reject")
ANSWERS = {**dict.fromkeys(STEERED, 200), "holds": 201, "lift": 200}
READ = {"entries", "entry", "status", "operations", "operation", "items", "syncs", "sync"}
#: Addresses that are read by GET and written to by POST.
ALSO_WRITTEN: dict[str, dict[str, object]] = {
    "entries": {"kind": "page", "entries": [{"external_id": "pushed", "payload": {}}]},
}


def patterns() -> dict[str, URLPattern]:
    return {p.name: p for p in urls.urlpatterns if p.name}


def addresses() -> list[str]:
    return [name for name in patterns() if name != "nothing"]


def path_of(name: str) -> str:
    values = {
        "entry_id": ENTRY,
        "operation_id": OPERATION,
        "sync_id": FAR,
        "slug": "news",
        "hold_id": FAR,
    }
    kwargs = {key: values[key] for key in patterns()[name].pattern.converters}
    return reverse(f"api:{name}", kwargs=kwargs).removeprefix(PREFIX)


def furnish() -> Entry:
    """What the paths and the bodies speak of; returns the failed entry."""
    source = SourceFactory.create(slug="news")
    Sync.objects.create(id=FAR, source=source, state="failed", error_code="unreachable")
    Operation.objects.create(
        id=OPERATION, action="retry", selection_words="nothing", source_ids=[source.pk]
    )
    Hold.objects.create(id=FAR, kind="scripted", actor_label="somebody")
    entry: Entry = EntryFactory.create(id=ENTRY, failed=True, source=source)
    return entry
