from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.i18n import set_language

from retry.admin.registrations import load_pages
from retry.api.urls import nothing

load_pages()

urlpatterns = [
    path("admin/api/", include("retry.api.urls")),
    # Without its slash it would be an unknown page of the admin, which asks to log in.
    path("admin/api", nothing),
    path("admin/", admin.site.urls),
    path("language/", set_language, name="set_language"),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
]

handler500 = "config.web.outage.error_page"
