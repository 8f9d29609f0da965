"""Canvas's administrator authorises Waymark in the browser; nights run on that, until it ends."""

import pytest

from bootstrap.access import SCOPES
from bootstrap.checkup import check_platform
from lti_tool.launch.api_access import CALLBACK_PATH, make_link
from store import api_access, registrations
from store.registrations import Platform
from store.session import reading, writing
from store.sync_state import ItemState
from tests.stories.walking import Walker

pytestmark = pytest.mark.story


def canvas_of(stage) -> Platform:
    with reading(stage.container.engine) as connection:
        known = registrations.platforms(connection, stage.tenant)
    return next(platform for platform in known if platform.kind == "canvas")


def set_key_up(stage, **changes) -> None:
    """A developer key in Canvas, known to Waymark."""
    back = stage.container.settings.public_url + CALLBACK_PATH
    wanted = {"redirect_uris": [back], "scopes": list(SCOPES), "allow_includes": True}
    key = stage.ask(f"{stage.canvas}/_control/api_keys", {**wanted, **changes})
    platform = canvas_of(stage)
    with writing(stage.container.engine) as connection:
        api_access.save_developer_key(
            connection,
            platform.tenant,
            platform.id,
            client_id=key["client_id"],
            client_secret=key["client_secret"],
            secrets=stage.container.secrets,
        )


def take_token_away(stage) -> None:
    """Leave no pasted token that could do the work instead."""
    sealed = stage.container.secrets.seal("")
    with writing(stage.container.engine) as connection:
        connection.exec_driver_sql(
            "UPDATE platforms SET api_token = ? WHERE id = ?", (sealed, canvas_of(stage).id)
        )


def consent(stage, door: str = "/login/oauth2/accept"):
    """Walk from the address through Canvas and back."""
    walker = Walker()
    page = walker.get(make_link(stage.container, canvas_of(stage)))
    asking = walker.submit(page, page.form("/lti/access/"))
    form = asking.form("/login/oauth2/")
    administrator = {"user": "1"} if door.endswith("accept") else {}
    return walker.submit(asking, form | {"action": door}, **administrator), walker


def revoke(stage) -> None:
    stage.ask(f"{stage.canvas}/_control/revoke", {})


def tokens_asked_for(stage) -> int:
    return stage.ask(f"{stage.canvas}/_control/counters")["requests"]["token"]


def canvas_items(stage):
    return stage.rows(
        "SELECT w.phase, w.state, w.cause, w.message FROM work_items w "
        "LEFT JOIN courses c ON c.id = w.course_id "
        "LEFT JOIN platforms p ON p.id = c.platform_id "
        "WHERE w.run_id = (SELECT max(id) FROM runs) AND (p.kind = 'canvas' OR p.id IS NULL)"
    )


def failed(stage) -> list:
    return [row for row in canvas_items(stage) if row.state == ItemState.FAILED.value]


def written(stage) -> list:
    """Marks that Waymark read back from Canvas, by their way."""
    return stage.rows(
        "SELECT k.way, count(*) AS marks FROM passback_marks m "
        "JOIN passback_columns k ON k.id = m.column_id JOIN courses c ON c.id = k.course_id "
        "JOIN platforms p ON p.id = c.platform_id WHERE p.kind = 'canvas' GROUP BY k.way"
    )


def test_nights_run_on_what_was_authorised_with_the_scopes_that_are_asked_for(stage):
    set_key_up(stage)
    take_token_away(stage)

    page, _ = consent(stage)
    stage.run_night()

    access = canvas_of(stage).api_access
    assert (page.status, access.is_authorized) == (200, True)
    assert access.user in page.text
    assert not failed(stage)
    assert {row.way for row in written(stage)} == {"words", "mark_not_counted"}
    checks = {check.name: check for check in check_platform(stage.container, canvas_of(stage).id)}
    assert f"authorised by {access.user}" in checks["API token"].found


def test_tokens_that_expire_in_the_middle_of_a_night_are_renewed_and_nothing_is_lost(stage):
    set_key_up(stage)
    take_token_away(stage)
    consent(stage)
    stage.fault("canvas", "expired_token", at=6)

    stage.run_night()

    assert stage.ask(f"{stage.canvas}/_control/counters")["requests"]["token"] > 1
    assert not failed(stage)
    assert {row.way for row in written(stage)} == {"words", "mark_not_counted"}


def test_what_was_taken_back_is_reported_and_canvas_not_asked_every_night(stage):
    set_key_up(stage)
    consent(stage)
    stage.run_night()
    revoke(stage)

    stage.run_night()
    asked = tokens_asked_for(stage)
    stage.run_night()

    (told,) = {row.message for row in canvas_items(stage) if row.cause == "access_revoked"}
    assert "waymark platform access" in told
    assert canvas_of(stage).api_access.revoked_at is not None
    assert tokens_asked_for(stage) == asked

    consent(stage)
    stage.run_night()
    assert not failed(stage)


def test_a_no_in_canvas_leaves_nothing_and_the_address_good(stage):
    set_key_up(stage)

    page, walker = consent(stage, "/login/oauth2/deny")

    assert page.status == 400
    assert "pressed Cancel" in page.text
    assert not canvas_of(stage).api_access.is_authorized
    assert walker.get(walker.seen[0]).status == 200


def test_a_key_without_all_the_scopes_is_told_before_anything_is_authorised(stage):
    set_key_up(stage, scopes=list(SCOPES[1:]))
    walker = Walker()
    page = walker.get(make_link(stage.container, canvas_of(stage)))

    back = walker.submit(page, page.form("/lti/access/"))

    assert back.status == 400
    assert "lacks a scope" in back.text
