"""Saved views: the verbs that keep a filter of the list of entries under a name.

Every user who sees entries keeps views of their own. Sharing one, and changing or deleting a shared
one, needs a permission. A view shows nothing by itself: what it lists is what its reader may see.
"""

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.db import transaction

from entries.filters import EntryFilter
from entries.phrases import phrase
from retry import audit
from retry.access.permissions import SHARE_VIEW, VIEW_ENTRY
from retry.access.views import visible_views
from retry.edits import get_subject
from retry.errors import ViewNotFound, ViewRefused
from retry.models import SavedView
from retry.outcomes import Actor

#: Of one owner, and of those that are shared: each is counted on the page.
MOST = 20


def save_view(
    name: str,
    chosen: EntryFilter,
    *,
    actor: Actor,
    shared: bool = False,
    oldest_first: bool = False,
) -> SavedView:
    """Keep a filter under a name, in place of the actor's own view of that name.

    Raises ``NotPermitted``, and ``ViewRefused`` for a name or a number of views that is not
    allowed. What a command saves is shared.
    """
    actor.require(VIEW_ENTRY)
    shared = shared or actor.user is None
    if shared:
        actor.require(SHARE_VIEW)
    name = _clean_name(name)
    with transaction.atomic():
        kept = SavedView.objects.filter(owner=actor.user_id)
        known = kept.filter(name=name).select_for_update().first()
        if known is None and kept.count() >= MOST:
            raise ViewRefused(
                phrase("You have %(count)s views already. Delete one first.", count=MOST)
            )
        view, _ = SavedView.objects.update_or_create(
            owner_id=actor.user_id,
            name=name,
            defaults={"filter": chosen.data(), "oldest_first": oldest_first, "shared": shared},
        )
        after = {"name": name, "shared": shared, "filter": chosen.mask()}
        audit.record("save_view", actor=actor, count=1, subject=get_subject(view), after=after)
    return view


def rename_view(view_id: int, name: str, *, actor: Actor) -> SavedView:
    """Raises ``NotPermitted``, ``ViewNotFound`` and ``ViewRefused``."""
    actor.require(VIEW_ENTRY)
    name = _clean_name(name)
    with transaction.atomic():
        view = _find_own(view_id, actor=actor)
        others = SavedView.objects.filter(owner=view.owner_id, name=name).exclude(pk=view.pk)
        if others.exists():
            raise ViewRefused(phrase("There is a view “%(name)s” already.", name=name))
        before, view.name = view.name, name
        view.save(update_fields=["name"])
        audit.record(
            "rename_view",
            actor=actor,
            count=1,
            subject=get_subject(view),
            before={"name": before},
            after={"name": name},
        )
    return view


def delete_view(view_id: int, *, actor: Actor) -> None:
    """Raises ``NotPermitted`` and ``ViewNotFound``."""
    actor.require(VIEW_ENTRY)
    with transaction.atomic():
        view = _find_own(view_id, actor=actor)
        before = {"name": view.name, "shared": view.shared}
        audit.record("delete_view", actor=actor, count=1, subject=get_subject(view), before=before)
        view.delete()


def _find_own(view_id: int, *, actor: Actor) -> SavedView:
    """Lock a view that the actor may change. Raises ``ViewNotFound``, ``NotPermitted``."""
    view = visible_views(actor).select_for_update().filter(pk=view_id).first()
    if view is None:
        raise ViewNotFound(view_id)
    if view.shared:
        actor.require(SHARE_VIEW)
    return view


def _clean_name(name: str) -> str:
    """Raises ``ViewRefused``."""
    name = " ".join(name.split())
    longest = SavedView._meta.get_field("name").max_length or 0
    try:
        ProhibitNullCharactersValidator()(name)
    except ValidationError:
        raise ViewRefused(phrase("The name must not contain NUL characters.")) from None
    if not name or len(name) > longest:
        raise ViewRefused(
            phrase("A view needs a name of at most %(limit)s characters.", limit=longest)
        )
    return name
