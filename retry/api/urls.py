from django.urls import path, re_path

from retry.api.entries import views
from retry.api.holds import views as holds
from retry.api.operations import views as operations
from retry.api.syncs import views as syncs

app_name = "api"
urlpatterns = [
    path("retry", views.retry, name="retry"),
    path("retry/bulk", operations.retry_bulk, name="retry-bulk"),
    path("retry/now", operations.retry_now, name="retry-now"),
    path("retry/stop", operations.stop, name="retry-stop"),
    path("resync", operations.resync, name="resync"),
    path("discard", operations.discard, name="discard"),
    path("restore", operations.restore, name="restore"),
    path("operations", operations.operations, name="operations"),
    path("operations/<uuid:operation_id>", operations.operation, name="operation"),
    path("operations/<uuid:operation_id>/items", operations.operation_items, name="items"),
    path("operations/<uuid:operation_id>/pause", operations.pause, name="pause"),
    path("operations/<uuid:operation_id>/resume", operations.resume, name="resume"),
    path("operations/<uuid:operation_id>/cancel", operations.cancel, name="cancel"),
    path(
        "operations/<uuid:operation_id>/retry-failed",
        operations.retry_failed,
        name="retry-failed",
    ),
    path("entries", views.entries, name="entries"),
    path("entries/<int:entry_id>", views.entry, name="entry"),
    path("sources/<slug:slug>/sync", syncs.request_sync, name="source-sync"),
    path("syncs", syncs.syncs, name="syncs"),
    path("syncs/<int:sync_id>", syncs.sync, name="sync"),
    path("holds", holds.holds, name="holds"),
    path("holds/<int:hold_id>/lift", holds.lift, name="lift"),
    path("status", views.status, name="status"),
    # Nothing under the API answers with HTML, not even what does not exist.
    re_path("", views.nothing, name="nothing"),
]
