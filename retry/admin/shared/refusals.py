"""What a verb of the service refuses, as an answer of a page."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest

from entries.errors import EntriesError
from retry.admin.shared.messages import add_messages, describe_refusal
from retry.admin.shared.selection import SelectionRefused
from retry.errors import NotPermitted, RetryError


def show_refusals(
    request: HttpRequest, *, missing: type[RetryError] | tuple[type[RetryError], ...] = ()
) -> AbstractContextManager[None, bool]:
    """Show a refusal of the block as a message; it ends the block.

    Raises ``PermissionDenied`` for what the user may not do, and ``Http404`` for what is
    ``missing``, or hidden.
    """
    # Typed as what may end a block, which a generator is not.
    return cast("AbstractContextManager[None, bool]", _show_refusals(request, missing))


@contextmanager
def _show_refusals(
    request: HttpRequest, missing: type[RetryError] | tuple[type[RetryError], ...]
) -> Iterator[None]:
    try:
        yield
    except NotPermitted as error:
        raise PermissionDenied from error
    except missing as error:
        raise Http404 from error
    except SelectionRefused as refusal:
        messages.error(request, str(refusal))
    except (RetryError, EntriesError) as error:
        add_messages(request, describe_refusal(error))
