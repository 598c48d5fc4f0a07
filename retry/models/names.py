"""What pages call these models and their fields; imported for its effect."""

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from entries.model_names import name_model
from retry.models.error_groups import ErrorGroup
from retry.models.heartbeat import Heartbeat, WorkerHeartbeat
from retry.models.holds import Hold
from retry.models.imports import Import
from retry.models.notices import Notice, NoticeDelivery, Outage, Subscription
from retry.models.outcome_counts import OutcomeCount, OutcomeFlush, OutcomeTotal
from retry.models.people import ApiToken, AuditEvent
from retry.models.retention import RetentionPass
from retry.models.syncs import Sync
from retry.models.tallies import OutcomeTally
from retry.models.views import SavedView
from retry.models.work import Operation, Run

#: States, as badges and sentences say them: their codes.
CODES = (
    gettext_noop("acknowledged"),
    gettext_noop("awaiting approval"),
    gettext_noop("busy"),
    gettext_noop("cancelled"),
    gettext_noop("completed"),
    gettext_noop("failed"),
    gettext_noop("finished"),
    gettext_noop("idle"),
    gettext_noop("muted"),
    gettext_noop("open"),
    gettext_noop("paused"),
    gettext_noop("planned"),
    gettext_noop("queued"),
    gettext_noop("regressed"),
    gettext_noop("resolved"),
    gettext_noop("running"),
    gettext_noop("succeeded"),
    gettext_noop("waiting"),
)
#: Channels.
CHANNELS = (
    gettext_noop("admin"),
    gettext_noop("api"),
    gettext_noop("command"),
    gettext_noop("system"),
)

name_model(
    Operation,
    _("operation"),
    _("operations"),
    request_id=_("request id"),
    action=_("action"),
    reason=_("reason"),
    total=_("total"),
    state=_("state"),
)
name_model(
    Run,
    _("run"),
    _("runs"),
    request_id=_("request id"),
    trigger=_("trigger"),
    reason=_("reason"),
    kind=_("kind"),
    source=_("source"),
    upstream=_("upstream"),
    queue=_("queue"),
    size=_("size"),
    state=_("state"),
    worker=_("worker"),
)
name_model(
    Hold,
    _("hold"),
    _("holds"),
    kind=_("kind"),
    upstream=_("upstream"),
    source=_("source"),
    reason=_("reason"),
    lifted_by=_("lifted by"),
    lifted_reason=_("lifted reason"),
)
name_model(
    ErrorGroup,
    _("error group"),
    _("error groups"),
    state=_("state"),
    owner=_("owner"),
    note=_("note"),
)
name_model(
    Sync,
    _("sync"),
    _("syncs"),
    request_id=_("request id"),
    source=_("source"),
    reason=_("reason"),
    state=_("state"),
)
name_model(
    Import,
    _("import"),
    _("imports"),
    request_id=_("request id"),
    source=_("source"),
    kind=_("kind"),
    reason=_("reason"),
    state=_("state"),
    file_name=_("file name"),
)
name_model(
    AuditEvent,
    _("audit event"),
    _("audit events"),
    verb=_("verb"),
    actor_label=_("actor label"),
    channel=_("channel"),
    request_id=_("request id"),
    subject=_("subject"),
    count=_("count"),
    reason=_("reason"),
)
name_model(ApiToken, _("API token"), _("API tokens"), name=_("name"), user=_("user"))
name_model(
    Subscription,
    _("subscription"),
    _("subscriptions"),
    owner=_("owner"),
    address=_("address"),
    endpoint=_("endpoint"),
)
name_model(
    Notice,
    _("notice"),
    _("notices"),
    event=_("event"),
)
name_model(NoticeDelivery, _("notice delivery"), _("notice deliverys"))
name_model(Outage, _("outage"), _("outages"))
name_model(RetentionPass, _("retention pass"), _("retention passs"))
name_model(SavedView, _("saved view"), _("saved views"), name=_("name"))
name_model(Heartbeat, _("heartbeat"), _("heartbeats"))
name_model(WorkerHeartbeat, _("worker heartbeat"), _("worker heartbeats"))
name_model(OutcomeTally, _("outcome tally"), _("outcome tallys"))
name_model(OutcomeCount, _("outcome count"), _("outcome counts"))
name_model(OutcomeFlush, _("outcome flush"), _("outcome flushs"))
name_model(OutcomeTotal, _("outcome total"), _("outcome totals"))
