from django.apps import AppConfig


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = "Operations"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from retry import checks  # noqa: F401 - registers the system checks
        from retry.limits import extend_limits_for_kinds
        from retry.notices import mail  # noqa: F401 - registers the kind

        connection_created.connect(extend_limits_for_kinds)
