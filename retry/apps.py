from django.apps import AppConfig


class RetryConfig(AppConfig):
    name = "retry"
    verbose_name = "operations"
