"""The addresses of the pages of LMSs, the same behind both doors."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue

from lti_tool.pages.lms import views
from lti_tool.pages.lms.here import Here

_SHOWN: tuple[tuple[str, Callable[..., ResponseReturnValue]], ...] = (
    ("/lms", views.overview),
    ("/lms/invitations/<string(length=43):token>", views.invitation),
)
_DONE: tuple[tuple[str, Callable[..., ResponseReturnValue]], ...] = (
    ("/lms/invitations", views.invite),
    ("/lms/<row_id:platform_id>/state", views.enter_state),
    ("/lms/<row_id:platform_id>/installations", views.approve),
    ("/lms/<row_id:platform_id>/token", views.give_token),
    ("/lms/<row_id:platform_id>/key", views.give_key),
    ("/lms/<row_id:platform_id>/consent", views.consent),
    ("/lms/<row_id:platform_id>/look", views.look_over),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A way to these pages.

    Attributes:
        key: What the address calls the thing that opens the door.
        looking: Who looks, by that thing; refuses whoever may not.
        changing: Who changes something, from a page of ours; refuses whoever may not.
    """

    key: str
    looking: Callable[[str], Here]
    changing: Callable[[str], Here]


def add_pages(blueprint: Blueprint, door: Door) -> None:
    """Put the pages behind a door."""
    for rule, view in _SHOWN:
        blueprint.add_url_rule(rule, view.__name__, _behind(door.key, door.looking, view))
    for rule, view in _DONE:
        act = _behind(door.key, door.changing, view)
        blueprint.add_url_rule(rule, view.__name__, act, methods=["POST"])


def _behind(
    key: str, opened: Callable[[str], Here], view: Callable[..., ResponseReturnValue]
) -> Callable[..., ResponseReturnValue]:
    def act(**values: Any) -> ResponseReturnValue:  # noqa: ANN401 - whatever the address holds
        return view(opened(values.pop(key)), **values)

    return act
