"""``manage.py subscribe``: send notices to an address or an endpoint, end that, or list it."""

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import CommandError, CommandParser

from retry import service
from retry.access.subscriptions import visible_subscriptions
from retry.errors import RetryError
from retry.management.account import find_account
from retry.management.command import DeskCommand
from retry.models import Subscription
from retry.notices.control import Wish
from retry.notices.recording import SUBSCRIBABLE
from retry.outcomes import Actor, Channel


class Command(DeskCommand):
    help = (
        "Send notices of what happens to an address or an endpoint, for all or for one user. "
        "Without an event, --mail, --endpoint and --end: list the subscriptions."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        known = ", ".join(SUBSCRIBABLE)
        parser.add_argument("events", nargs="*", help=f"what to notify of, or all; {known}")
        _add_targets(parser)
        parser.add_argument("--user", metavar="NAME", help="for this user, by their rights")
        parser.add_argument("--source", metavar="SLUG", help="only what is about this source")
        parser.add_argument(
            "--language", metavar="CODE", help="of mails, such as de; else the project's"
        )
        parser.add_argument(
            "--everyones", action="store_true", help="with --user: operations of others as well"
        )
        parser.add_argument(
            "--if-missing", action="store_true", help="change nothing if the target has one"
        )

    def handle(self, *args: Any, **given: Any) -> None:
        target = given["mail"] or given["endpoint"]
        try:
            if given["end"] is not None:
                service.unsubscribe(given["end"], actor=Actor.command(find_account()))
                self.stdout.write(f"Subscription {given['end']} has ended.")
            elif target is not None:
                self._subscribe(target, given)
            elif given["events"]:
                raise CommandError("Say where notices go: --mail ADDRESS or --endpoint SLUG.")
            else:
                self._list()
        except RetryError as error:
            raise CommandError(str(error)) from error

    def _subscribe(self, target: str, given: dict[str, Any]) -> None:
        actor = _find_actor(given["user"])
        known = Subscription.objects.filter(owner=actor.user).select_related("endpoint")
        if given["if_missing"] and any(found.target == target for found in known):
            self.stdout.write(f"{target} gets notices already; nothing was changed.")
            return
        events = given["events"] or ["all"]
        wish = Wish(
            events=list(map(str, SUBSCRIBABLE)) if "all" in events else events,
            address=given["mail"] or "",
            endpoint=given["endpoint"] or "",
            source=given["source"] or "",
            language=given["language"] or "",
            everyones=given["everyones"],
        )
        made = service.subscribe(wish, actor=actor)
        self.stdout.write(self.style.SUCCESS(f"Subscription {made.pk}: {_describe(made)}"))

    def _list(self) -> None:
        found = list(visible_subscriptions(Actor.command(find_account())))
        for subscription in found:
            self.stdout.write(f"Subscription {subscription.pk}: {_describe(subscription)}")
        if not found:
            self.stdout.write("There are no subscriptions.")


def _add_targets(parser: ArgumentParser) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--mail", metavar="ADDRESS", help="send mails to this address")
    where.add_argument("--endpoint", metavar="SLUG", help="send webhooks to this endpoint")
    where.add_argument("--end", type=int, metavar="ID", help="end the subscription with this id")


def _find_actor(username: str | None) -> Actor:
    if username is None:
        return Actor.command(find_account())
    user = get_user_model().objects.filter(username=username).first()
    if user is None:
        raise CommandError(f"There is no user {username!r}.")
    return Actor.from_user(user, channel=Channel.COMMAND)


def _describe(subscription: Subscription) -> str:
    whose = subscription.owner.get_username() if subscription.owner else "all"
    source = f" about {subscription.source.slug}" if subscription.source else ""
    language = f" in {subscription.language}" if subscription.language else ""
    state = "" if subscription.active else ", switched off"
    events = ", ".join(subscription.events)
    target = f"{subscription.channel} to {subscription.target}"
    return f"{target} for {whose}{source}{language}{state}: {events}"
