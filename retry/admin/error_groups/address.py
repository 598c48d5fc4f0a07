"""Where the page of an error group is, for what only knows the fingerprint."""

from django.urls import reverse
from django.utils.http import urlencode


def get_alike_url(fingerprint: str) -> str:
    """Return the address that leads to the page of the error group, or to its failed entries."""
    query = urlencode({"fingerprint": fingerprint})
    return f"{reverse('admin:retry_errorgroup_find')}?{query}"
