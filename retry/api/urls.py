"""The addresses of the JSON API: a resource is a package, and a line here."""

from django.urls import re_path

from retry.api.entries.views import routes as entries
from retry.api.holds.views import routes as holds
from retry.api.http.resource import api_view
from retry.api.operations.starts import routes as starts
from retry.api.operations.views import routes as operations
from retry.api.runs.views import routes as runs
from retry.api.status.views import routes as status
from retry.api.syncs.views import routes as syncs

app_name = "api"
#: Under the API nothing answers with HTML, not even an address that does not exist.
nothing = api_view()
urlpatterns = [
    *entries.urls,
    *starts.urls,
    *operations.urls,
    *runs.urls,
    *syncs.urls,
    *holds.urls,
    *status.urls,
    re_path("", nothing, name="nothing"),
]
