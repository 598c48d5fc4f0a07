"""The admin app, with the desk as its site."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core import checks


class DeskConfig(SimpleAdminConfig):
    default_site = "retry.admin.desk.site.DeskSite"

    def ready(self) -> None:
        """Leave the pages to ``config.urls``: workers, the dispatcher and commands need none."""
        checks.register(check_dependencies, checks.Tags.admin)
        checks.register(check_pages, checks.Tags.admin)


def check_pages(
    app_configs: Sequence[AppConfig] | None = None, **options: Any
) -> list[checks.CheckMessage]:
    """Check the pages as Django does, which knows only what is registered."""
    from retry.admin.registrations import load_pages

    load_pages()
    return list(check_admin_app(app_configs, **options))
