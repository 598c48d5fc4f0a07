from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = _("Operations")

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from retry import checks  # noqa: F401 - registers the system checks
        from retry.limits import extend_limits_for_kinds
        from retry.notices import mail  # noqa: F401 - registers the kind
        from retry.tasks import kind, preparation  # noqa: F401 - registers the kind

        preparation.prepare()
        connection_created.connect(extend_limits_for_kinds)
