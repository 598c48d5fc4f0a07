"""One success for each public verb: what it needs, and the act itself. A test names the missing."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models.functions import Now

from entries.models import Entry
from entries.sources.base import Reading, SourceItem, SourceKind, SourceSpec
from entries.sources.patches import Patch
from retry import (
    corrections,
    exports,
    first_attempts,
    retries,
    saved_views,
    service,
    submission,
    upkeep,
)
from retry.access import tokens
from retry.error_groups import control as error_groups
from retry.error_groups import proof
from retry.holds import control as holds
from retry.imports import control as imports
from retry.models import ApiToken, Hold, Sync
from retry.notices import control as notices
from retry.operations import approval, control
from retry.outcomes import Actor
from retry.retention import control as retention
from retry.syncs import control as syncs
from tests.factories.entries import EntryFactory, SourceFactory
from tests.factories.users import UserFactory
from tests.laws import editing, grouping, operating, pruning, subscribing
from tests.laws.importing import confirm_import, enqueue, repeat_lost, request_import
from tests.laws.viewing import delete_view, rename_view, save_view
from tests.support.upkeep import UPKEEP

if TYPE_CHECKING:
    from django.contrib.auth.models import User

#: Where verbs are defined.
MODULES: tuple[ModuleType, ...] = (
    *(retries, corrections, submission, first_attempts, exports, saved_views, upkeep, approval),
    *(tokens, control, syncs, holds, imports, error_groups, proof),
    *(notices, retention),
)
#: What looks like a verb and changes nothing that anybody asked for.
NO_VERBS = {
    "retry.access.tokens.find_bearer",
    "retry.operations.control.choose_retry_action",
    "retry.operations.approval.needs_approval",
    "retry.operations.approval.is_own",
    "retry.holds.control.describe_target",
    "retry.submission.foresee",
    "retry.submission.find_problems",
    "retry.submission.resolve_destination",
    "retry.imports.control.put_back",
    "retry.imports.control.forget_file",
    "retry.imports.control.forget_old_files",
}
#: Verbs for the system alone, called below another verb or by the dispatcher.
INTERNAL = {
    "submit_entries",
    "enqueue_entries",
    "wake_entries",
    "request_due_syncs",
    "fail_lost_syncs",
    "trip_breaker",
    "lift_ended_holds",
    "repeat_lost_imports",
    *UPKEEP,
    "settle_proofs",
    "unmute_due_groups",
    "prune",
    "prune_batch",
}
#: Does it once, as the actor.
Act = Callable[[Actor], object]


@dataclass(frozen=True)
class Scene:
    """``prepare`` sets the stage and returns the act; ``audited`` is the verb in the audit.

    ``jobs``: how many RQ jobs follow.
    """

    prepare: Callable[[], Act]
    audited: str
    jobs: int = 0


def public() -> dict[str, Callable[..., Any]]:
    """The verbs by their names in ``retry.service``."""
    return {
        name: function
        for name in service.__all__
        if inspect.isfunction(function := getattr(service, name))
    }


def defined() -> dict[str, Callable[..., Any]]:
    """The verbs by where they are defined."""
    found = {}
    for module in MODULES:
        for name, function in inspect.getmembers(module, inspect.isfunction):
            full = f"{module.__name__}.{name}"
            if function.__module__ == module.__name__ and not name.startswith("_"):
                found[full] = function
    return {name: function for name, function in found.items() if name not in NO_VERBS}


class Constant(SourceKind):
    """Always has the same two items."""

    name: ClassVar[str] = "constant"

    def read(self, spec: SourceSpec) -> Reading:
        items = [SourceItem(f"item-{n}", f"Item {n}", {"url": spec.location}) for n in (1, 2)]
        return Reading(items=iter(items), total=2)


def _retry() -> Act:
    ids = [entry.id for entry in EntryFactory.create_batch(3, failed=True)]
    return lambda actor: service.retry_entries(ids, actor=actor)


def _retry_one() -> Act:
    entry = EntryFactory.create(failed=True)
    return lambda actor: service.retry_entry(entry.id, actor=actor)


def _resync() -> Act:
    source = SourceFactory.create()
    ids = [e.id for e in EntryFactory.create_batch(3, succeeded=True, source=source)]
    return lambda actor: service.resync_entries(ids, actor=actor)


def _resync_one() -> Act:
    entry = EntryFactory.create(failed=True, source=SourceFactory.create())
    return lambda actor: service.resync_entry(entry.id, actor=actor)


def _retry_now() -> Act:
    ids = [entry.id for entry in EntryFactory.create_batch(3, scheduled=True)]
    return lambda actor: service.retry_entries_now(ids, actor=actor)


def _retry_one_now() -> Act:
    entry = EntryFactory.create(scheduled=True)
    return lambda actor: service.retry_entry_now(entry.id, actor=actor)


def _submit() -> Act:
    entry = EntryFactory.create()
    return lambda actor: service.submit_entries([entry.id], actor=actor)


def _push() -> Act:
    items = [SourceItem("1", "One", {"url": "http://page.example/1"})]
    return lambda actor: service.submit(items, kind="page", actor=actor)


def _push_patches() -> Act:
    patches = [Patch("1", title="One")]
    return lambda actor: service.submit_patches(patches, kind="page", actor=actor)


def _export() -> Act:
    EntryFactory.create()
    return lambda actor: service.export_entries(
        Entry.objects.all(), file_format="csv", selection="every entry", actor=actor
    )


def _wake() -> Act:
    entry = EntryFactory.create(scheduled=True)
    return lambda actor: service.wake_entries([entry.id], actor=actor)


def _request_sync() -> Act:
    source = SourceFactory.create()
    return lambda actor: service.request_sync(source.slug, actor=actor)


def _sync() -> Act:
    source = SourceFactory.create(kind="constant")
    return lambda actor: service.sync_source(source, actor=actor)


def _request_due() -> Act:
    SourceFactory.create(sync_interval=60)
    return lambda actor: service.request_due_syncs(actor=actor)


def _fail_lost() -> Act:
    Sync.objects.create(source=SourceFactory.create(), state="running")
    return lambda actor: service.fail_lost_syncs(actor=actor)


def _create_token() -> Act:
    user: User = UserFactory.create()
    return lambda actor: service.create_token(user, name="x", actor=actor)


def _change_token() -> Act:
    token = ApiToken.objects.create(user=UserFactory.create(), name="x", digest="x")
    terms = tokens.Terms(scopes=frozenset({"read"}))
    return lambda actor: service.change_token(token.pk, terms=terms, actor=actor)


def _revoke_token() -> Act:
    ApiToken.objects.create(user=UserFactory.create(), name="x", digest="x")
    return lambda actor: service.revoke_tokens(ApiToken.objects.all(), actor=actor)


def _hold_kind() -> Act:
    return lambda actor: service.hold_kind("page", actor=actor)


def _hold_source() -> Act:
    source = SourceFactory.create()
    return lambda actor: service.hold_source(source.slug, actor=actor)


def _trip() -> Act:
    return lambda actor: service.trip_breaker(
        "page", actor=actor, reason="HTTP 503", probe_after=5.0
    )


def _lift() -> Act:
    hold = service.hold_kind("page", actor=Actor.command("before"))
    return lambda actor: service.lift_hold(hold.pk, actor=actor)


def _lift_ended() -> Act:
    hold = service.hold_kind("page", actor=Actor.command("before"))
    Hold.objects.filter(pk=hold.pk).update(ends_at=Now())
    return lambda actor: service.lift_ended_holds(actor=actor)


ACTS: Mapping[str, Scene] = {
    "retry_entries": Scene(_retry, "retry", jobs=1),
    "retry_entry": Scene(_retry_one, "retry", jobs=1),
    "resync_entries": Scene(_resync, "resync", jobs=1),
    "resync_entry": Scene(_resync_one, "resync", jobs=1),
    "retry_entries_now": Scene(_retry_now, "retry_now", jobs=1),
    "retry_entry_now": Scene(_retry_one_now, "retry_now", jobs=1),
    "stop_retrying": Scene(editing.stop, "stop"),
    "stop_retrying_entry": Scene(editing.stop_one, "stop"),
    "discard_entries": Scene(editing.discard, "discard"),
    "discard_entry": Scene(editing.discard_one, "discard"),
    "restore_entries": Scene(editing.restore, "restore"),
    "restore_entry": Scene(editing.restore_one, "restore"),
    "edit_and_retry": Scene(editing.edit_and_retry, "edit_and_retry", jobs=1),
    "submit_entries": Scene(_submit, "submit", jobs=1),
    "enqueue_entries": Scene(enqueue, "submit", jobs=1),
    "wake_entries": Scene(_wake, "wake", jobs=1),
    "request_sync": Scene(_request_sync, "request_sync", jobs=1),
    "sync_source": Scene(_sync, "sync", jobs=1),
    "request_due_syncs": Scene(_request_due, "request_sync", jobs=1),
    "fail_lost_syncs": Scene(_fail_lost, "sync_lost"),
    "request_import": Scene(request_import, "request_import", jobs=1),
    "confirm_import": Scene(confirm_import, "confirm_import", jobs=1),
    "repeat_lost_imports": Scene(repeat_lost, "import_lost"),
    "submit": Scene(_push, "submit", jobs=1),
    "submit_patches": Scene(_push_patches, "submit", jobs=1),
    "export_entries": Scene(_export, "export"),
    **{name: Scene(make, name) for name, make in UPKEEP.items()},
    **{act.__name__: Scene(act, "prune") for act in (pruning.prune, pruning.prune_batch)},
    "create_token": Scene(_create_token, "create_token"),
    "change_token": Scene(_change_token, "change_token"),
    "revoke_tokens": Scene(_revoke_token, "revoke_token"),
    "start_operation": Scene(operating.start, "start_retry"),
    **{
        f"{verb}_operation": Scene(getattr(operating, verb), verb)
        for verb in ("pause", "resume", "cancel", "reschedule", "approve", "reject")
    },
    "retry_failed": Scene(operating.retry_failed, "start_retry"),
    "undo_repair": Scene(editing.undo_repair, "start_undo"),
    "hold_kind": Scene(_hold_kind, "hold"),
    "hold_source": Scene(_hold_source, "hold"),
    "trip_breaker": Scene(_trip, "hold"),
    "lift_hold": Scene(_lift, "lift"),
    **{name: Scene(*acted) for name, acted in grouping.SCENES.items()},
    **{act.__name__: Scene(act, act.__name__) for act in (save_view, rename_view, delete_view)},
    "lift_ended_holds": Scene(_lift_ended, "lift"),
    "subscribe": Scene(subscribing.subscribe, "subscribe"),
    "change_subscription": Scene(subscribing.change_subscription, "change_subscription"),
    "unsubscribe": Scene(subscribing.unsubscribe, "unsubscribe"),
    "send_test_notice": Scene(subscribing.send_test_notice, "test_subscription", jobs=1),
}
