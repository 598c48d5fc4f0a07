from django.apps import AppConfig


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = "operations"

    def ready(self) -> None:
        from django.db.backends.signals import connection_created

        from retry import checks  # noqa: F401 - registers the system checks
        from retry.limits import leave_kinds_their_time

        connection_created.connect(leave_kinds_their_time)
