"""The admin app, with the desk as its site."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "retry.admin.desk.site.DeskSite"

    def ready(self) -> None:
        """Register our pages last, because some replace those of other apps.

        None of them is registered on import: Django imports the site, and with it many of their
        modules, before there is a site to register with.
        """
        super().ready()
        from retry.admin.registrations import register_all

        register_all()
