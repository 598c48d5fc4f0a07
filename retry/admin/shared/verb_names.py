"""Verbs and actors of the audit, which keeps their codes, as people read them."""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from retry.models import AuditEvent

#: What ``name_verb`` finds in the catalog: codes with spaces.
NAMES = frozenset(
    {
        *(_("submit"), _("retry"), _("retry now"), _("stop"), _("resync"), _("resubmit")),
        *(_("restore"), _("discard"), _("wake"), _("rescue"), _("probe"), _("edit and retry")),
        *(_("start retry"), _("start resync"), _("start retry now"), _("start stop")),
        *(_("start discard"), _("start restore"), _("start repair"), _("start undo")),
        *(_("approve"), _("reject"), _("reschedule"), _("pause"), _("resume"), _("cancel")),
        *(_("hold"), _("lift"), _("sync"), _("request sync"), _("sync lost")),
        *(_("import"), _("request import"), _("confirm import"), _("import lost"), _("export")),
        *(_("acknowledge group"), _("note group"), _("mute group"), _("unmute group")),
        *(_("resolve group"), _("reopen group"), _("prove group"), _("fail proof")),
        *(_("save view"), _("rename view"), _("delete view")),
        *(_("create token"), _("change token"), _("revoke token"), _("refused")),
        *(_("subscribe"), _("change subscription"), _("unsubscribe"), _("test subscription")),
        *(_("derive upstreams"), _("index entries"), _("recount entries"), _("prune")),
        *(_("add entry"), _("change entry"), _("delete entry")),
        *(_("add source"), _("change source"), _("delete source")),
        *(_("add endpoint"), _("change endpoint"), _("delete endpoint")),
        *(_("add user"), _("change user"), _("delete user")),
        *(_("add group"), _("change group"), _("delete group")),
        *(_("delete accessattempt"), _("delete accessfailurelog"), _("delete accesslog")),
    }
)


def name_verb(verb: str) -> str:
    return gettext(verb.replace("_", " "))


def name_actor(event: AuditEvent) -> str:
    """``alice``, or ``alice, token “nightly”``"""
    if event.token_id is None:
        return event.actor_label
    words = gettext("%(actor)s, token “%(token)s”")
    return words % {"actor": event.actor_label, "token": event.token_label}
