"""The addresses of Redrive, to be included where the admin is, and before it::

    path("admin/", include("retry.urls")),
    path("admin/", admin.site.urls),

The pages for staff are in the admin's own site; they are added to it here.
"""

from django.urls import include, path

from retry.admin.registrations import load_pages
from retry.api.urls import nothing

load_pages()

urlpatterns = [
    path("api/", include("retry.api.urls")),
    # Without its slash it would be an unknown page of the admin, which asks to log in.
    path("api", nothing),
]
