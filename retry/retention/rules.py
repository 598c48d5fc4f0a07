"""What is kept how long: one rule for each table, or part of one, in the order of a pass.

What refers to other rows comes before them, so that one pass is enough.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from entries.models import NOTICE_SOURCE_KIND
from entries.states import EntryStatus
from entries.transitions import removal as old_entries
from retry.retention import entries, records
from retry.retention.steps import (
    FIRST_ID,
    FIRST_TIME,
    FIRST_TIME_UUID,
    Cursor,
    Statement,
    Step,
    Table,
    step_audit,
    step_sessions,
)
from retry.retention.uploads import step_uploads
from retry.runs.removal import REMOVE_RUNS

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One part of what is kept.

    ``days``: reads the setting; None where rows say themselves when they end. ``first``: the cursor
    before the first row. ``app``: there is nothing to delete unless it is installed. ``whole``: a
    pass looks at everything, because what is old may be anywhere.
    """

    name: str
    words: "str | _StrPromise"
    step: Step
    days: Callable[[], int] | None = None
    first: Cursor = FIRST_ID
    app: str = ""
    whole: bool = False

    @property
    def keep(self) -> timedelta | None:
        """For how long; None forever."""
        if self.days is None:
            return timedelta(0)
        days = self.days()
        return timedelta(days=days) if days > 0 else None

    @property
    def is_there(self) -> bool:
        return not self.app or apps.is_installed(self.app)

    @property
    def active(self) -> bool:
        return self.keep is not None and self.is_there


def _keep_entries(status: EntryStatus, sql: str = entries.REMOVE_ENTRIES) -> Statement:
    return Statement(sql, {"status": status.value, "notices": NOTICE_SOURCE_KIND})


_RULES = (
    Rule(
        name="tracebacks",
        words=_("tracebacks of earlier attempts"),
        days=lambda: settings.REDRIVE_KEEP_TRACEBACKS_DAYS,
        step=Statement(old_entries.BLANK_TRACEBACKS),
    ),
    Rule(
        name="attempts",
        words=_("earlier attempts at an entry"),
        days=lambda: settings.REDRIVE_KEEP_ATTEMPTS_DAYS,
        step=Statement(old_entries.REMOVE_ATTEMPTS),
    ),
    Rule(
        name="succeeded",
        words=_("succeeded entries"),
        days=lambda: settings.REDRIVE_KEEP_SUCCEEDED_DAYS,
        step=_keep_entries(EntryStatus.SUCCEEDED),
    ),
    Rule(
        name="discarded",
        words=_("discarded entries"),
        days=lambda: settings.REDRIVE_KEEP_DISCARDED_DAYS,
        step=_keep_entries(EntryStatus.DISCARDED, entries.REMOVE_DISCARDED),
    ),
    Rule(
        name="failed",
        words=_("failed entries"),
        days=lambda: settings.REDRIVE_KEEP_FAILED_DAYS,
        step=_keep_entries(EntryStatus.FAILED),
    ),
    Rule(
        name="notices",
        words=_("notices and their deliveries"),
        days=lambda: settings.REDRIVE_KEEP_NOTICES_DAYS,
        step=Statement(entries.REMOVE_NOTICES),
    ),
    Rule(
        name="outages",
        words=_("outages"),
        days=lambda: settings.REDRIVE_KEEP_NOTICES_DAYS,
        step=Statement(records.REMOVE_OUTAGES),
    ),
    Rule(
        name="runs",
        words=_("runs without an operation"),
        days=lambda: settings.REDRIVE_KEEP_RUNS_DAYS,
        step=Statement(REMOVE_RUNS),
        first=FIRST_TIME_UUID,
    ),
    Rule(
        name="operations",
        words=_("operations with their runs"),
        days=lambda: settings.REDRIVE_KEEP_OPERATIONS_DAYS,
        step=Statement(records.REMOVE_OPERATIONS),
        first=FIRST_TIME_UUID,
    ),
    Rule(
        name="holds",
        words=_("lifted holds"),
        days=lambda: settings.REDRIVE_KEEP_OPERATIONS_DAYS,
        step=Statement(records.REMOVE_HOLDS),
        first=FIRST_TIME,
    ),
    Rule(
        name="error_groups",
        words=_("error groups without failures"),
        days=lambda: settings.REDRIVE_KEEP_GROUPS_DAYS,
        step=Statement(records.REMOVE_GROUPS),
        first=FIRST_TIME,
    ),
    Rule(
        name="syncs",
        words=_("syncs"),
        days=lambda: settings.REDRIVE_KEEP_SYNCS_DAYS,
        step=Statement(records.REMOVE_SYNCS),
    ),
    Rule(
        name="imports",
        words=_("imports"),
        days=lambda: settings.REDRIVE_KEEP_SYNCS_DAYS,
        step=Statement(records.REMOVE_IMPORTS),
        first=FIRST_TIME_UUID,
    ),
    Rule(
        name="uploads",
        words=_("uploads that nothing refers to"),
        days=lambda: settings.REDRIVE_KEEP_UPLOADS_DAYS,
        step=step_uploads,
        whole=True,
    ),
    Rule(
        name="sessions",
        words=_("expired sessions"),
        step=step_sessions,
        app="django.contrib.sessions",
    ),
    *(
        Rule(
            name=name,
            words=words,
            days=lambda: settings.REDRIVE_KEEP_LOGINS_DAYS,
            step=Table(label, "attempt_time", updated=updated),
            app="axes",
            whole=updated,
        )
        for name, words, label, updated in (
            ("logins", _("logins"), "axes.AccessLog", False),
            ("failed_logins", _("failed logins"), "axes.AccessFailureLog", False),
            ("login_attempts", _("counts of failed logins"), "axes.AccessAttempt", True),
        )
    ),
    Rule(
        name="admin_log",
        words=_("log of Django's admin"),
        days=lambda: settings.REDRIVE_KEEP_AUDIT_DAYS,
        step=Table("admin.LogEntry", "action_time"),
        app="django.contrib.admin",
    ),
    Rule(
        name="audit",
        words=_("audit events"),
        days=lambda: settings.REDRIVE_KEEP_AUDIT_DAYS,
        step=step_audit,
    ),
)

RULES: Mapping[str, Rule] = {rule.name: rule for rule in _RULES}
