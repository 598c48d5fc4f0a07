"""The addresses of the JSON API: a resource is a package, and a line here."""

from django.urls import re_path

from retry.api.audit.views import routes as audit
from retry.api.entries.views import routes as entries
from retry.api.errors.views import routes as errors
from retry.api.holds.views import routes as holds
from retry.api.http.resource import api_view
from retry.api.kinds.views import routes as kinds
from retry.api.openapi.views import routes as openapi
from retry.api.operations.starts import routes as starts
from retry.api.operations.views import routes as operations
from retry.api.repairs.views import routes as repairs
from retry.api.runs.views import routes as runs
from retry.api.saved_views.views import routes as saved_views
from retry.api.sources.views import routes as sources
from retry.api.status.views import routes as status
from retry.api.subscriptions.views import routes as subscriptions
from retry.api.syncs.views import routes as syncs

app_name = "api"
#: Under the API nothing answers with HTML, not even an address that does not exist.
nothing = api_view()
#: Of each resource.
ROUTES = (
    entries,
    starts,
    repairs,
    operations,
    runs,
    errors,
    sources,
    kinds,
    syncs,
    holds,
    audit,
    saved_views,
    subscriptions,
    status,
    openapi,
)
urlpatterns = [
    *(pattern for routes in ROUTES for pattern in routes.urls),
    re_path("", nothing, name="nothing"),
]
