from django.urls import path, re_path

from retry.api import views

app_name = "api"
urlpatterns = [
    path("retry", views.retry, name="retry"),
    path("entries", views.entries, name="entries"),
    path("entries/<int:entry_id>", views.entry, name="entry"),
    path("status", views.status, name="status"),
    # Nothing under the API answers with HTML, not even what does not exist.
    re_path("", views.nothing, name="nothing"),
]
