"""Subscriptions: list, subscribe, look at one, change, end, test."""

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_supported_language_variant
from django.utils.translation.trans_real import parse_accept_lang_header

from retry import service
from retry.access.permissions import VIEW_ENTRY
from retry.access.subscriptions import visible_subscriptions
from retry.access.visibility import find_sources
from retry.api.http.links import answer_location
from retry.api.http.resource import answer, parse_body, parse_query, refuse_query
from retry.api.http.routes import Routes
from retry.api.http.schemas import MAX_ID, Request
from retry.api.subscriptions.schemas import (
    ChangeRequest,
    EndedResponse,
    SubscribeRequest,
    SubscriptionPage,
    SubscriptionQuery,
    SubscriptionResponse,
)
from retry.notices.errors import SubscriptionNotFound
from retry.outcomes import Actor

routes = Routes()


@routes.get("subscriptions", needs=VIEW_ENTRY, query=SubscriptionQuery, answers=SubscriptionPage)
def list_subscriptions(request: HttpRequest, actor: Actor) -> HttpResponse:
    query = parse_query(request, SubscriptionQuery)
    page = query.read(visible_subscriptions(actor))
    scope = find_sources(actor)
    results = [SubscriptionResponse.from_subscription(found, scope=scope) for found in page.items]
    return answer(SubscriptionPage(results=results, next_cursor=query.sign(page.next_cursor)))


@routes.post("subscriptions", body=SubscribeRequest, answers=SubscriptionResponse, status=201)
def subscribe(request: HttpRequest, actor: Actor) -> HttpResponse:
    body = parse_body(request, SubscribeRequest)
    wish = body.as_wish(language=_find_language(request))
    made = service.subscribe(wish, for_all=body.for_all, actor=actor)
    model = SubscriptionResponse.from_subscription(made, scope=find_sources(actor))
    return answer_location(model, f"subscriptions/{made.pk}", status=201)


@routes.get(
    "subscriptions/<int:subscription_id>",
    name="subscription",
    needs=VIEW_ENTRY,
    answers=SubscriptionResponse,
)
def show_subscription(request: HttpRequest, actor: Actor, subscription_id: int) -> HttpResponse:
    refuse_query(request)
    found = visible_subscriptions(actor).filter(pk=_check(subscription_id)).first()
    if found is None:
        raise SubscriptionNotFound(subscription_id)
    return answer(SubscriptionResponse.from_subscription(found, scope=find_sources(actor)))


@routes.post(
    "subscriptions/<int:subscription_id>/change",
    name="subscription-change",
    body=ChangeRequest,
    answers=SubscriptionResponse,
)
def change_subscription(request: HttpRequest, actor: Actor, subscription_id: int) -> HttpResponse:
    revision = parse_body(request, ChangeRequest).as_revision()
    changed = service.change_subscription(_check(subscription_id), revision, actor=actor)
    return answer(SubscriptionResponse.from_subscription(changed, scope=find_sources(actor)))


@routes.post(
    "subscriptions/<int:subscription_id>/delete",
    name="subscription-delete",
    body=Request,
    answers=EndedResponse,
)
def delete_subscription(request: HttpRequest, actor: Actor, subscription_id: int) -> HttpResponse:
    parse_body(request, Request)
    service.unsubscribe(_check(subscription_id), actor=actor)
    return answer(EndedResponse(id=subscription_id))


@routes.post(
    "subscriptions/<int:subscription_id>/test",
    name="subscription-test",
    body=Request,
    answers=SubscriptionResponse,
    status=202,
)
def send_test_notice(request: HttpRequest, actor: Actor, subscription_id: int) -> HttpResponse:
    parse_body(request, Request)
    told = service.send_test_notice(_check(subscription_id), actor=actor)
    model = SubscriptionResponse.from_subscription(told, scope=find_sources(actor))
    return answer_location(model, f"subscriptions/{told.pk}", status=202)


def _find_language(request: HttpRequest) -> str:
    """Return the first language known here that the request accepts; empty where there is none."""
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", "").lower())
    for name, _ in accepted:
        with suppress(LookupError):
            return get_supported_language_variant(name)
    return ""


def _check(subscription_id: int) -> int:
    """Raises ``SubscriptionNotFound`` for a number that no column holds."""
    if subscription_id > MAX_ID:
        raise SubscriptionNotFound(subscription_id)
    return subscription_id
