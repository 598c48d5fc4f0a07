"""Judges Redis: its version, its clock, what it does when it is full, and whether it can write."""

import re
from collections.abc import Iterator

from retry.management.doctor.diagnosis import Diagnosis, fail, judge_clock, ok, warn
from retry.store_facts import RedisFacts

_OLDEST = (6, 2)
_FEWEST_SENTINELS = 3


def judge_redis(facts: RedisFacts) -> Iterator[Diagnosis]:
    yield _judge_version(facts)
    yield judge_clock("redis.clock", facts.product, facts.clock_seconds)
    yield _judge_memory(facts)
    yield _judge_writes(facts)
    if facts.sentinels:
        yield _judge_sentinels(facts)
    if facts.max_clients and facts.clients > 0.9 * facts.max_clients:
        yield fail(
            "redis.clients",
            f"{facts.clients} of {facts.max_clients} clients are connected.",
            "Raise maxclients, and the limit on open files of its process.",
        )


def _judge_version(facts: RedisFacts) -> Diagnosis:
    text = f"{facts.product} {facts.version}."
    numbers = tuple(int(part) for part in re.findall(r"\d+", facts.version)[:2])
    if facts.product == "Redis" and numbers < _OLDEST:
        return fail("redis.version", text, "Upgrade to Redis 6.2 or newer, or to Valkey.")
    return ok("redis.version", text)


def _judge_memory(facts: RedisFacts) -> Diagnosis:
    check = "redis.memory"
    if facts.policy == "noeviction":
        return ok(check, "Nothing is evicted when memory is full (noeviction).")
    text = f"maxmemory-policy is {facts.policy}: jobs vanish when memory is full."
    if facts.evicted:
        text += f" {facts.evicted} keys have been evicted."
    advice = "CONFIG SET maxmemory-policy noeviction, and in redis.conf. Share it with no cache."
    return fail(check, text, advice) if facts.max_bytes else warn(check, text, advice)


def _judge_sentinels(facts: RedisFacts) -> Diagnosis:
    check = "redis.sentinels"
    silent = [address for address, answers in facts.sentinels.items() if not answers]
    text = f"{len(facts.sentinels) - len(silent)} of {len(facts.sentinels)} Sentinels answer."
    if silent:
        advice = "Without most of them no replica takes over when the master is lost."
        return warn(check, text, f"Start {', '.join(silent)}. {advice}")
    if len(facts.sentinels) < _FEWEST_SENTINELS:
        return warn(check, text, "Name three or more in REDIS_URL: two cannot outvote a lost one.")
    return ok(check, text)


def _judge_writes(facts: RedisFacts) -> Diagnosis:
    check = "redis.writes"
    if facts.replica:
        return fail(
            check, "It is a replica, which accepts no writes.", "Point REDIS_URL at the primary."
        )
    if facts.save_failed:
        return fail(
            check,
            "It could not save its data, and may refuse writes.",
            "Free space on its disk, or turn saving off: Redrive does not need it.",
        )
    if facts.saves:
        return ok(check, "It saves its data, which Redrive does not need.")
    return ok(check, "It saves nothing, which is fine: PostgreSQL has all that matters.")
