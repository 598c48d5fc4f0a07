"""What pages call these models and their fields; imported for its effect."""

from django.utils.translation import gettext_lazy as _

from entries.model_names import name_model
from entries.models.attempt import Attempt
from entries.models.edit import Edit
from entries.models.endpoint import Endpoint
from entries.models.entry import Entry
from entries.models.sent_task import SentTask
from entries.models.source import Source

name_model(
    Entry,
    _("entry"),
    _("entries"),
    title=_("title"),
    payload=_("payload"),
    source=_("source"),
    kind=_("kind"),
    upstream=_("upstream"),
    external_id=_("external id"),
    attempt=_("attempt"),
)
name_model(
    Source,
    _("source"),
    _("sources"),
    slug=_("slug"),
    groups=_("groups"),
    name=_("name"),
    kind=_("kind of source"),
    location=_("location"),
    options=_("options"),
    entry_kind=_("kind of its entries"),
    enabled=_("enabled"),
    sync_interval=_("sync interval"),
    last_error=_("last error"),
)
name_model(
    Endpoint,
    _("endpoint"),
    _("endpoints"),
    slug=_("slug"),
    name=_("name"),
    url=_("url"),
    enabled=_("enabled"),
)
name_model(Attempt, _("attempt"), _("attempts"))
name_model(Edit, _("edit"), _("edits"))
name_model(SentTask, _("sent task"), _("sent tasks"))
