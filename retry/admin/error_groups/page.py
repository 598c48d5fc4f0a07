"""What the page of an error group shows, and what can be done there."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext

from entries.admin.live import LiveFragment
from entries.filters import EntryFilter
from entries.models import Entry
from entries.phrases import show
from entries.states import EntryStatus
from entries.tracebacks import split_frames
from retry.access.permissions import MANAGE_ERROR_GROUP, OPERATE, VIEW_OPERATION
from retry.access.visibility import sees_everything, sees_whole_group
from retry.admin.error_groups.forms import (
    AcknowledgeForm,
    MuteForm,
    NoteForm,
    ProveForm,
)
from retry.admin.error_groups.rows import get_entries_url
from retry.admin.error_groups.words import (
    describe_count,
    describe_last,
    describe_mute,
    explain_suggestion,
)
from retry.admin.operations.address import get_preview_url
from retry.admin.shared.actions import describe_action
from retry.admin.shared.actor import get_actor
from retry.error_groups.control import UNRESOLVED
from retry.error_groups.overview import GroupFacts, read_facts, read_last_operations
from retry.error_groups.proof import PROVING
from retry.error_groups.samples import Sample
from retry.error_groups.traits import compare_entries
from retry.models import Action, ErrorGroup, GroupState
from retry.operations.progress import read_progress
from retry.operations.selection import Selection

#: Offered for what is failed of a group.
_ACTIONS = (Action.RETRY, Action.RESYNC, Action.DISCARD)


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    url: str
    suggested: bool


def build_live_context(request: HttpRequest, group: ErrorGroup, *, url: str) -> dict[str, Any]:
    """Return what changes by itself: state, count, times and the proof under way."""
    actor = get_actor(request)
    facts = read_facts([group], actor=actor)[group.pk]
    sees_all = sees_everything(actor)
    everything = sees_all and request.user.has_perm(VIEW_OPERATION)
    proof = group.proof if everything else None
    progress = read_progress(proof.pk) if proof is not None else None
    last = read_last_operations([group.fingerprint]) if everything else {}
    newest = last.get(group.fingerprint)
    words = describe_last(newest) if newest else ""
    stage = f"{group.state}-{'proving' if group.proof_id else ''}-{bool(facts.count)}"
    settled = progress.settled if progress is not None else ""
    state = progress.operation.state if progress is not None else ""
    shown = (facts.count, facts.last_seen, settled, state, words, group.note, group.owner_id)
    version = f"{stage}.{sha256(repr(shown).encode()).hexdigest()[:16]}"
    return {
        "original": group,
        "facts": facts,
        "count_words": describe_count(facts),
        "entries_url": get_entries_url(group.fingerprint),
        "mute": describe_mute(group, everything=sees_all)
        if group.state == GroupState.MUTED
        else None,
        "may_view_operations": everything,
        "progress": progress,
        "proof_words": show(proof.pause_reason) if proof is not None else "",
        "last": newest,
        "last_words": words,
        "live": LiveFragment(
            url=url,
            version=version,
            active=group.proof_id is not None or group.state != GroupState.RESOLVED,
            seconds=2 if group.proof_id is not None else 10,
        ),
    }


def build_verbs_context(
    request: HttpRequest, group: ErrorGroup, facts: GroupFacts, sample: Sample
) -> dict[str, Any]:
    """Return what the user may do with the group and its entries now."""
    manages = request.user.has_perm(MANAGE_ERROR_GROUP) and sees_whole_group(
        group.fingerprint, actor=get_actor(request)
    )
    state = group.state
    provable = manages and facts.count and group.proof_id is None
    context: dict[str, Any] = {
        "original": group,
        "facts": facts,
        "count_words": describe_count(facts),
        "buttons": _list_buttons(request, group, sample) if facts.count else [],
        "suggestion_words": explain_suggestion(sample) if facts.count else "",
        "may_manage": manages,
        "may_acknowledge": manages and state in UNRESOLVED,
        "may_mute": manages and state in UNRESOLVED,
        "may_unmute": manages and state == GroupState.MUTED,
        "may_resolve": manages and state in UNRESOLVED,
        "may_reopen": manages and state in {GroupState.RESOLVED, GroupState.ACKNOWLEDGED},
        "may_prove": provable and any(request.user.has_perm(OPERATE[a]) for a in PROVING),
    }
    if manages:
        context |= {
            "acknowledge_form": AcknowledgeForm(request),
            "mute_form": MuteForm(),
            "note_form": NoteForm(group),
            "prove_form": ProveForm(request, suggested=sample.suggestion.value),
        }
    return context


def _list_buttons(request: HttpRequest, group: ErrorGroup, sample: Sample) -> list[Button]:
    """List the previews of what can be done, the suggested one first."""
    alike = EntryFilter(status=EntryStatus.FAILED, fingerprint=group.fingerprint)
    suggested = sample.suggestion
    allowed = [action for action in _ACTIONS if request.user.has_perm(OPERATE[action])]
    allowed.sort(key=lambda action: action != suggested)
    return [
        Button(
            f"{describe_action(action).label}…",
            get_preview_url(action, Selection(filter=alike)),
            action == suggested,
        )
        for action in allowed
    ]


def build_evidence_context(
    request: HttpRequest, group: ErrorGroup, facts: GroupFacts, sample: Sample
) -> dict[str, Any]:
    """Return what stays as it is while the page is looked at: examples, and what they share."""
    actor = get_actor(request)
    traceback = sample.attempt.traceback if sample.attempt is not None else ""
    return {
        "sample": sample,
        "sections": split_frames(traceback),
        "comparison": compare_entries(group.fingerprint, facts.kinds, actor=actor),
        "newest": [_describe_entry(entry) for entry in sample.newest],
    }


def _describe_entry(entry: Entry) -> dict[str, Any]:
    source = entry.source.name if entry.source else gettext("no source")
    return {"entry": entry, "source": source}
