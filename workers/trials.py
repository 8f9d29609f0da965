"""Changes of policy tried: at once, or in the background where that is too long to wait.

What comes of a trial is kept in Redis for an hour: it can be had again by asking again.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from rq import Retry

from bootstrap.container import Container
from mapping.effects import Effect, Example, Turnout
from mapping.records import CompetencyId, EvidenceKind, LearnerId, MappingRule, TenantId
from mapping.rules.scopes import Scope, ScopedRule
from mapping.status import Status
from store import tenants
from store.session import reading
from workers.effects import Proposed, effect_of
from workers.queue import open_queue

AT_ONCE = 3_000
"""Learners who are judged while a person waits for the page."""
_KEPT_SECONDS = 3600
_JOB_SECONDS = 900
_QUIET_SECONDS = 180
"""A batch of learners takes seconds; after so long nobody works at a trial any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A change that was tried, or is being tried.

    Attributes:
        key: Under which it is found.
        proposed: The change.
        purpose: What the page wants to know of it when it shows what came of it.
        done: How many learners were judged.
        of: Of how many.
        effect: What the change would do, once that is known.
        is_quiet: Whether nothing was heard of it for so long that it may never be known.
    """

    key: str
    proposed: Proposed
    purpose: Mapping[str, Any]
    done: int = 0
    of: int = 0
    effect: Effect | None = None
    is_quiet: bool = False


def try_out(
    container: Container, tenant: TenantId, proposed: Proposed, *, purpose: Mapping[str, Any]
) -> Trial:
    """Try a change: at once, or for a large district in the background.

    Args:
        container: Where.
        tenant: Whose policy would change.
        proposed: The change.
        purpose: What the page wants to know of it later; JSON-able.
    """
    with reading(container.engine) as connection:
        count = len(tenants.all_learners(connection, tenant))
    key = secrets.token_hex(8)
    begun = Trial(key=key, proposed=proposed, purpose=purpose, of=count)
    kept = {"proposed": json.dumps(_plain(proposed)), "purpose": json.dumps(dict(purpose))}
    if count <= AT_ONCE:
        found = effect_of(container.engine, tenant, proposed, now=container.now())
        _keep(container, tenant, key, **kept, effect=json.dumps(_told(found)))
        return replace(begun, done=count, effect=found)
    _keep(container, tenant, key, **kept, of=count)
    open_queue(container).enqueue(
        "workers.jobs.try_change",
        *(int(tenant), key),
        at_front=True,
        job_timeout=_JOB_SECONDS,
        result_ttl=0,
        failure_ttl=_KEPT_SECONDS,
        retry=Retry(max=2),
    )
    return begun


def trial(container: Container, tenant: TenantId, key: str) -> Trial | None:
    """How far a trial is; None where the tenant has none of this key, or had it long ago."""
    kept: dict[Any, Any] = container.redis.hgetall(_name(tenant, key))
    if not kept:
        return None
    told = kept.get(b"effect")
    silence = container.now().timestamp() - float(kept[b"heard"])
    return Trial(
        key=key,
        proposed=_proposed(json.loads(kept[b"proposed"])),
        purpose=json.loads(kept[b"purpose"]),
        done=int(kept.get(b"done", b"0")),
        of=int(kept.get(b"of", b"0")),
        effect=None if told is None else _effect(json.loads(told)),
        is_quiet=told is None and silence > _QUIET_SECONDS,
    )


def work_out(container: Container, tenant: TenantId, key: str) -> None:
    """Try a change, and keep what comes of it; a key that is gone is passed over."""
    kept = container.redis.hget(_name(tenant, key), "proposed")
    if kept is None:
        return

    def tell(done: int, of: int) -> None:
        _keep(container, tenant, key, done=done, of=of)

    found = effect_of(
        container.engine, tenant, _proposed(json.loads(kept)), now=container.now(), tell=tell
    )
    _keep(container, tenant, key, effect=json.dumps(_told(found)))


def _keep(container: Container, tenant: TenantId, key: str, **told: str | int) -> None:
    """Keep what is told of a trial, and when; a while longer from now on."""
    name = _name(tenant, key)
    kept: dict[Any, Any] = {**told, "heard": container.now().timestamp()}
    container.redis.hset(name, mapping=kept)
    container.redis.expire(name, _KEPT_SECONDS)


def _name(tenant: TenantId, key: str) -> str:
    return f"waymark:trial:{tenant}:{key}"


def _plain(proposed: Proposed) -> dict[str, Any]:
    rule, mapping = proposed.rule, proposed.mapping
    return {
        "rule": None if rule is None else {**asdict(rule), "scope": rule.scope.name},
        "mapping": None
        if mapping is None
        else [{**asdict(one), "kind": one.kind.value} for one in mapping],
    }


def _proposed(plain: Mapping[str, Any]) -> Proposed:
    rule, mapping = plain["rule"], plain["mapping"]
    return Proposed(
        rule=None if rule is None else ScopedRule(**{**rule, "scope": Scope[rule["scope"]]}),
        mapping=None
        if mapping is None
        else [
            MappingRule(**{**one, "kind": EvidenceKind(one["kind"]), "steps": tuple(one["steps"])})
            for one in mapping
        ],
    )


def _told(effect: Effect) -> dict[str, Any]:
    return {
        "counts": [*(effect.learners, effect.concerned, effect.same, effect.changed, effect.marks)],
        "moves": [[*move, count] for move, count in effect.moves.items()],
        "by_competency": [[one, *_sides(told)] for one, told in effect.by_competency.items()],
        "by_school": [[one, *_sides(told)] for one, told in effect.by_school.items()],
        "examples": [asdict(one) for one in effect.examples],
    }


def _sides(told: Turnout) -> list[list[tuple[int, int]]]:
    return [
        [(int(one), count) for one, count in side.items()] for side in (told.before, told.after)
    ]


def _effect(told: Mapping[str, Any]) -> Effect:
    learners, concerned, same, changed, marks = told["counts"]
    return Effect(
        learners=learners,
        concerned=concerned,
        same=same,
        changed=changed,
        marks=marks,
        moves={(Status(before), Status(after)): n for before, after, n in told["moves"]},
        by_competency={CompetencyId(one): _turnout(*two) for one, *two in told["by_competency"]},
        by_school={one: _turnout(*two) for one, *two in told["by_school"]},
        examples=tuple(
            Example(
                learner=LearnerId(one["learner"]),
                competency=CompetencyId(one["competency"]),
                before=Status(one["before"]),
                after=Status(one["after"]),
                estimate_before=one["estimate_before"],
                estimate_after=one["estimate_after"],
            )
            for one in told["examples"]
        ),
    )


def _turnout(before: list[list[int]], after: list[list[int]]) -> Turnout:
    first, second = ({Status(one): n for one, n in side} for side in (before, after))
    return Turnout(before=first, after=second)
