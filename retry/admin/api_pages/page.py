"""The page that shows the document of the JSON API."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from retry.admin.api_pages.document import read_groups, read_types


@require_safe
def show_api(request: HttpRequest) -> HttpResponse:
    """Show it to all staff: it says what there is, and nothing of what is in it."""
    context = admin.site.each_context(request) | {
        "title": gettext("JSON API"),
        "groups": read_groups(),
        "types": read_types(),
    }
    return TemplateResponse(request, "admin/retry/api.html", context)
