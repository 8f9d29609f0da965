"""Canvas tells that something happened in a course; nothing else is believed."""

import pytest
from sqlalchemy import select

from lti_tool.signals.live_events import MOST_BYTES, course_with_news
from mapping.records import PlatformId, TenantId
from store import event_sources
from store.session import reading, writing
from store.tables import course_signals, platforms
from tests.lti_tool.classroom import fill
from tests.lti_tool.platform import jwk

KEYS_URL = "https://events.example/jwks"
SHARD = 21070000000000000
GRADE = {
    "metadata": {
        "event_name": "grade_change",
        "context_type": "Course",
        "context_id": str(SHARD + 101),
        "producer": "canvas",
    },
    "body": {"assignment_id": str(SHARD + 5), "student_id": str(SHARD + 7), "score": 3.0},
}


class Sender:
    """Canvas's event service, and what Waymark made of its events."""

    def __init__(self, stage, ids):
        self.stage, self.ids = stage, ids
        stage.key_sets.answers[KEYS_URL] = {"keys": [jwk(stage.lms.key, "k1")]}
        with writing(stage.container.engine) as connection:
            self.token = event_sources.open_source(
                connection,
                TenantId(stage.tenants["A"]),
                PlatformId(stage.platforms["client-A"]),
                key_url=KEYS_URL,
            ).token

    def send(self, event=GRADE, *, data=None, token=None, mimetype="application/jwt"):
        signed = self.stage.lms.sign(event) if data is None else data
        address = f"/events/canvas/{self.token if token is None else token}"
        return self.stage.browser().post(address, data=signed, content_type=mimetype)

    def signalled(self):
        with reading(self.stage.container.engine) as connection:
            return set(connection.execute(select(course_signals.c.course_id)).scalars())


@pytest.fixture
def sender(stage):
    return Sender(stage, fill(stage))


def test_a_signed_event_is_news_of_its_course(sender):
    answer = sender.send()

    assert answer.status_code == 204
    assert sender.signalled() == {sender.ids.course["Mathematics"]}


@pytest.mark.parametrize("wrapped", ["{}", '"{}"'])
def test_the_token_is_also_taken_as_canvas_sent_it_before_as_json(sender, wrapped):
    signed = sender.stage.lms.sign(GRADE)

    answer = sender.send(data=wrapped.format(signed), mimetype="application/json")

    assert answer.status_code == 204
    assert sender.signalled() == {sender.ids.course["Mathematics"]}


def test_an_event_sent_again_is_the_same_news(sender):
    signed = sender.stage.lms.sign(GRADE)

    for _ in range(3):
        sender.send(data=signed)

    assert len(sender.signalled()) == 1


def test_an_event_that_somebody_else_signed_is_not_believed(sender, signing_keys):
    forged = sender.stage.lms.sign(GRADE, key=signing_keys["attacker"])

    assert sender.send(data=forged).status_code == 401
    assert sender.signalled() == set()


@pytest.mark.parametrize("body", [b"", b"not a token", b'{"metadata": {}}', b"\xff\xfe", b"a.b.c"])
def test_what_is_no_signed_event_is_not_believed(sender, body):
    assert sender.send(data=body).status_code == 401
    assert sender.signalled() == set()


def test_an_unsigned_token_is_not_believed(sender):
    unsigned = sender.stage.lms.sign(GRADE, {"alg": "none", "kid": "k1"})

    assert sender.send(data=unsigned).status_code == 401


def test_an_address_that_nobody_was_given_is_not_there(sender):
    assert sender.send(token="x" * 32).status_code == 404
    assert sender.signalled() == set()


def test_a_suspended_lms_has_no_address(sender):
    with writing(sender.stage.container.engine) as connection:
        connection.execute(platforms.update().values(is_active=False))

    assert sender.send().status_code == 404


def test_an_address_that_was_given_up_takes_nothing(sender):
    with writing(sender.stage.container.engine) as connection:
        event_sources.close_source(
            connection,
            TenantId(sender.stage.tenants["A"]),
            PlatformId(sender.stage.platforms["client-A"]),
        )

    assert sender.send().status_code == 404


def test_an_address_opened_again_stays_as_it_was(sender):
    with writing(sender.stage.container.engine) as connection:
        again = event_sources.open_source(
            connection,
            TenantId(sender.stage.tenants["A"]),
            PlatformId(sender.stage.platforms["client-A"]),
            key_url="https://other.example/jwks",
        )

    assert (again.token, again.key_url) == (sender.token, "https://other.example/jwks")


def test_no_tenant_opens_another_tenants_address(sender):
    with pytest.raises(LookupError), writing(sender.stage.container.engine) as connection:
        event_sources.open_source(
            connection,
            TenantId(sender.stage.tenants["B"]),
            PlatformId(sender.stage.platforms["client-A"]),
            key_url=KEYS_URL,
        )


def test_a_course_of_another_platform_has_no_news_of_it(sender):
    event = {**GRADE, "metadata": {**GRADE["metadata"], "context_id": str(SHARD + 999)}}

    assert sender.send(event).status_code == 204
    assert sender.signalled() == set()


def test_an_event_longer_than_any_is_refused(sender):
    assert sender.send(data=b"a" * (MOST_BYTES + 1)).status_code == 413
    assert sender.send(data="a.b.c", mimetype="text/html").status_code == 415


def event(name, metadata=None, body=None):
    return {"metadata": {"event_name": name, **(metadata or {})}, "body": body or {}}


COURSE = {"context_type": "Course", "context_id": str(SHARD + 48)}


@pytest.mark.parametrize(
    "told",
    [
        event("submission_created", COURSE),
        event("submission_updated", COURSE),
        event("assignment_updated", body=COURSE),
        event("enrollment_created", body={"course_id": str(SHARD + 48)}),
        event("rubric_assessed", {"context_type": "Course", "context_id": SHARD + 48}),
        event("learning_outcome_result_updated", {"context_type": "Course", "context_id": "48"}),
    ],
)
def test_what_changes_scores_columns_or_people_is_news_by_the_courses_local_id(told):
    assert course_with_news(told) == "48"


@pytest.mark.parametrize(
    "told",
    [
        event("asset_accessed", COURSE),
        event("submission_comment_created", COURSE),
        event("grade_change", {"context_type": "Account", "context_id": "1"}),
        event("grade_change", {"context_type": "Course", "context_id": "abc"}),
        event("grade_change", {"context_type": "Course", "context_id": "9" * 40}),
        event("grade_change", {"context_type": "Course", "context_id": -48}),
        event(48, COURSE),
        {"metadata": [], "body": "x"},
        {},
    ],
)
def test_everything_else_is_no_news(told):
    assert course_with_news(told) is None
