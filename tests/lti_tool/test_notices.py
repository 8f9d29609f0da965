"""An LMS sends notices, each proven by itself; none is a launch, and no launch is one."""

import uuid

import pytest
from sqlalchemy import select

from lti_tool.signals.notices import MOST_BYTES, MOST_NOTICES
from mapping.records import PlatformId
from store import notice_handlers, registrations
from store.session import reading, writing
from store.tables import course_signals, courses, deployments
from tests.lti_tool.classroom import TEACHER, fill
from tests.lti_tool.platform import ISSUER, LTI, begin, launch

NOTICED_AT = "2026-11-20T08:00:00Z"
SERVICE = ISSUER + "/api/lti/notice-handlers/1"
OFFER = {
    LTI + "platformnotificationservice": {
        "service_versions": ["1.0"],
        "platform_notification_service_url": SERVICE,
        "scope": ["https://purl.imsglobal.org/spec/lti/scope/noticehandlers"],
        "notice_types_supported": [
            "LtiHelloWorldNotice",
            "LtiAssetProcessorSubmissionNotice",
            "LtiContextCopyNotice",
        ],
    }
}


class Lms:
    """Sends notices to the stage, and tells what came of them."""

    def __init__(self, stage, ids):
        self.stage, self.ids = stage, ids

    def notice(self, kind="LtiHelloWorldNotice", *, lms=None, key=None, **changes):
        lms = lms or self.stage.lms
        now = int(self.stage.clock().timestamp())
        body = {
            "iss": lms.issuer,
            "aud": lms.client_id,
            "azp": lms.client_id,
            "iat": now,
            "exp": now + 3600,
            "nonce": str(uuid.uuid4()),
            LTI + "version": "1.3.0",
            LTI + "deployment_id": lms.deployment,
            LTI + "notice": {
                "id": str(uuid.uuid4()),
                "timestamp": "2026-11-20T08:00:00Z",
                "type": kind,
            },
        }
        body |= {name if name in body else LTI + name: value for name, value in changes.items()}
        return lms.sign({name: one for name, one in body.items() if one is not ...}, key=key)

    def copied(self, context="ctx-1", **more):
        return self.notice("LtiContextCopyNotice", context={"id": context}, **more)

    def send(self, *tokens, json=None):
        body = {"notices": [{"jwt": one} for one in tokens]} if json is None else json
        return self.stage.browser().post("/lti/notices", json=body)

    def launch(self, **claims):
        return launch(self.stage.browser(), self.stage.lms, **TEACHER, **OFFER, **claims)

    def signalled(self):
        with reading(self.stage.container.engine) as connection:
            return set(connection.execute(select(course_signals.c.course_id)).scalars())


@pytest.fixture
def lms(stage):
    return Lms(stage, fill(stage))


def offers(stage):
    with reading(stage.container.engine) as connection:
        return notice_handlers.offers(connection, now=stage.clock())


def test_a_hello_is_answered(lms):
    assert lms.send(lms.notice()).status_code == 200


def test_what_is_copied_into_a_course_that_a_launch_named_is_news_of_it(lms):
    lms.launch()

    answer = lms.send(lms.copied())

    assert answer.status_code == 200
    assert lms.signalled() == {lms.ids.course["Mathematics"]}


def test_a_course_that_nobody_launched_from_comes_with_the_night(lms):
    answer = lms.send(lms.copied("unheard-of"))

    assert answer.status_code == 200
    assert lms.signalled() == set()


def test_of_three_notices_the_forged_one_is_dropped(lms, signing_keys):
    lms.launch()
    forged = lms.notice(key=signing_keys["attacker"])

    answer = lms.send(lms.notice(), forged, lms.copied())

    assert answer.status_code == 200
    assert lms.signalled() == {lms.ids.course["Mathematics"]}


def test_a_forged_copy_has_nothing_read(lms, signing_keys):
    lms.launch()

    answer = lms.send(lms.copied(key=signing_keys["attacker"]))

    assert answer.status_code == 401
    assert lms.signalled() == set()


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://unknown.example"},
        {"aud": "somebody-else"},
        {"aud": ...},
        {"exp": 1},
        {"iat": ...},
        {"version": "1.2"},
        {"deployment_id": "unheard-of"},
        {"notice": ...},
        {"notice": {"type": 7}},
        {"message_type": "LtiResourceLinkRequest"},
    ],
)
def test_a_notice_with_a_wrong_claim_is_not_believed(lms, changes):
    lms.launch()

    answer = lms.send(lms.copied(**changes))

    assert answer.status_code == 401
    assert lms.signalled() == set()


def test_a_launchs_token_is_no_notice(lms):
    token = lms.stage.lms.sign(lms.stage.lms.claims(nonce="n"))

    assert lms.send(token).status_code == 401


def test_a_notice_is_no_launch(lms):
    browser = lms.stage.browser()
    login = begin(browser, lms.stage.lms)

    answer = browser.post(
        "/lti/launch",
        data={"id_token": lms.notice(nonce=login.nonce), "state": login.state},
    )

    assert answer.status_code == 400
    assert "Location" not in answer.headers


def test_notices_of_a_suspended_lms_are_not_believed_from_the_next_on(lms):
    assert lms.send(lms.notice()).status_code == 200
    stage = lms.stage
    with writing(stage.container.engine) as connection:
        registrations.set_platform_state(
            connection,
            stage.tenants["A"],
            stage.platforms["client-A"],
            "suspended",
            now=stage.clock(),
        )
    stage.container.registrations_changed()

    assert lms.send(lms.notice()).status_code == 401


@pytest.mark.parametrize(
    "body", [[], {}, {"notices": 1}, {"notices": [{}]}, {"notices": [{"jwt": 1}]}, "x"]
)
def test_what_is_no_list_of_notices_is_refused(lms, body):
    assert lms.send(json=body).status_code == 400


def test_more_notices_or_bytes_than_an_lms_sends_at_once_are_refused(lms):
    many = lms.send(*["a.b.c"] * (MOST_NOTICES + 1))
    long = lms.stage.browser().post(
        "/lti/notices", data=b" " * (MOST_BYTES + 1), content_type="application/json"
    )

    assert (many.status_code, long.status_code) == (413, 413)


def test_notices_without_end_are_stopped_at_the_door(lms):
    answers = {lms.send(json={"notices": []}).status_code for _ in range(620)}

    assert answers == {200, 429}


def test_a_launch_leaves_word_of_what_is_offered(lms):
    lms.launch()

    (offer,) = offers(lms.stage)
    assert (offer.url, offer.deployment) == (SERVICE, "dep-1")
    assert offer.missing == ["LtiHelloWorldNotice", "LtiContextCopyNotice"]
    with reading(lms.stage.container.engine) as connection:
        found = connection.execute(select(courses.c.ref).where(courses.c.context_ref == "ctx-1"))
        assert found.scalars().all() == ["101"]


def test_a_second_launch_writes_nothing_more(lms):
    lms.launch()
    with writing(lms.stage.container.engine) as connection:
        connection.execute(deployments.update().values(notices_url=""))

    lms.launch()

    assert offers(lms.stage) == ()


def test_an_address_on_no_safe_site_is_not_kept(lms):
    unsafe = {**OFFER[LTI + "platformnotificationservice"]}
    unsafe["platform_notification_service_url"] = "http://lms.example/handlers"

    launch(
        lms.stage.browser(),
        lms.stage.lms,
        **TEACHER,
        **{LTI + "platformnotificationservice": unsafe},
    )

    assert offers(lms.stage) == ()


def test_what_was_registered_is_not_registered_again_until_the_address_changes(lms):
    lms.launch()
    (offer,) = offers(lms.stage)
    now = lms.stage.clock()
    with writing(lms.stage.container.engine) as connection:
        notice_handlers.note_try(connection, offer, offer.missing, now=now)

    assert offers(lms.stage) == ()
    with writing(lms.stage.container.engine) as connection:
        notice_handlers.note_offer(
            connection,
            PlatformId(offer.platform),
            offer.deployment,
            url=SERVICE + "0",
            types=offer.missing,
        )
    assert len(offers(lms.stage)) == 1


def test_a_try_that_failed_is_made_again_after_six_hours(lms):
    lms.launch()
    (offer,) = offers(lms.stage)
    with writing(lms.stage.container.engine) as connection:
        notice_handlers.note_try(connection, offer, offer.missing[:1], now=lms.stage.clock())

    assert offers(lms.stage) == ()
    lms.stage.clock.pass_time(hours=6)
    (again,) = offers(lms.stage)
    assert (again.known, again.missing) == (["LtiHelloWorldNotice"], ["LtiContextCopyNotice"])
