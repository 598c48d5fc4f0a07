"""Garbage collection in a process that serves requests."""

import gc

from django.urls import reverse


def settle() -> None:
    """Take what is loaded by now out of all later collections.

    It lives as long as the process. A full collection would look at 160,000 objects of it, in the
    middle of a request.
    """
    reverse("admin:index")  # imports every page, which the first request would
    gc.collect()
    gc.freeze()
