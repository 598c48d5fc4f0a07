from pathlib import Path

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from entries.conf import apply_defaults, is_set
from retry import defaults


def add_queues() -> None:
    """Add the queues of Redrive that RQ_QUEUES does not have."""
    known = settings.RQ_QUEUES if is_set("RQ_QUEUES") else {}
    settings.RQ_QUEUES = defaults.build_queues(settings.REDIS_URL, settings.REDRIVE_QUEUES) | known


def add_catalog() -> None:
    """Add the catalog of the pages; Django looks for catalogs in the apps' own folders alone."""
    settings.LOCALE_PATHS = [*settings.LOCALE_PATHS, Path(__file__).parent / "admin" / "locale"]


apply_defaults(defaults)
add_queues()
add_catalog()


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from entries import reasons
        from retry import checks  # noqa: F401 - registers the system checks
        from retry.access.reasons import ReasonSearch
        from retry.limits import extend_limits_for_kinds
        from retry.notices import mail  # noqa: F401 - registers the kind
        from retry.tasks import kind, preparation  # noqa: F401 - registers the kind

        reasons.register(ReasonSearch())
        preparation.prepare()
        connection_created.connect(extend_limits_for_kinds)
        if settings.REDRIVE_SENTRY_DSN:
            from retry import sentry

            sentry.connect()
