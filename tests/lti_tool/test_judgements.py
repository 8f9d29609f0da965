"""A teacher judges for themselves, and nobody else does."""

import re

import pytest
from sqlalchemy import select

from mapping.records import LearnerId
from mapping.status import Status
from store import judgements
from store.session import reading
from store.tables import recompute_pairs
from tests.lti_tool.classroom import ADMINISTRATOR, GUARDIAN, TEACHER, fill
from tests.lti_tool.platform import MEMBERSHIP, launch
from tests.lti_tool.test_pages import EVERY_PAGES, scripts_of

ASSISTANT = {
    "roles": [
        MEMBERSHIP + "Instructor",
        "http://purl.imsglobal.org/vocab/lis/v2/membership/Instructor#TeachingAssistant",
    ]
}
GIVEN = {
    "act": "status",
    "status": str(Status.MASTERED.value),
    "reason": "Shown at the board <today>.",
}


@pytest.fixture
def ids(stage):
    return fill(stage)


class Desk:
    """Somebody who launched, before one learner's competency."""

    def __init__(self, stage, ids, learner="Ada", code="N.1", **claims):
        self.stage, self.ids = stage, ids
        self.browser = stage.browser()
        landing = launch(self.browser, stage.lms, **claims).headers["Location"]
        self.base = "/".join(landing.split("/")[:3])
        self.competency = ids.competency[code]
        self.learner = ids.learner[learner]
        self.page = f"{self.base}/learners/{self.learner}"
        self.address = f"{self.page}/judge/{self.competency}"

    def get(self, address=None):
        return self.browser.get(address or self.address)

    def text(self, address=None):
        found = self.get(address)
        assert found.status_code == 200, found.text
        return words(found)

    def csrf(self):
        return re.search(r'name="csrf" value="([^"]+)"', self.get().text).group(1)

    def send(self, fields, csrf=None, **headers):
        sent = {"csrf": self.csrf() if csrf is None else csrf, **fields}
        return self.browser.post(self.address, data=sent, headers=headers)

    def judged(self):
        with reading(self.stage.container.engine) as connection:
            return judgements.judgements_of(
                connection,
                self.stage.tenants["A"],
                LearnerId(self.learner),
                now=self.stage.clock(),
            )

    def waiting(self):
        with reading(self.stage.container.engine) as connection:
            rows = connection.execute(select(recompute_pairs)).all()
        return {(row.learner_id, row.competency_id) for row in rows}


def words(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.text))


@pytest.fixture
def desk(stage, ids):
    return Desk(stage, ids, **TEACHER)


@pytest.fixture(scope="module")
def school(shared_stage):
    """A school in which nothing is changed, and who is in it."""
    return shared_stage, fill(shared_stage)


@pytest.fixture
def still(school):
    return Desk(*school, **TEACHER)


def test_a_given_status_is_kept_with_its_author_and_shown(desk):
    answer = desk.send({**GIVEN, "until": "2026-12-24"})

    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(f"?show={desk.competency}#c{desk.competency}")
    kept = desk.judged().overrides[desk.competency]
    assert (kept.status, kept.author) == (Status.MASTERED, "Ada Lovelace")
    text = desk.text(desk.page)
    assert "Ada Lovelace gave the status Mastered on 20 Nov 2026, until 24 Dec 2026" in text
    assert "Shown at the board &lt;today&gt;." in text
    assert "By the evidence alone it would be" in text


def test_a_given_status_waits_for_the_next_run(desk):
    desk.send(GIVEN)

    assert desk.waiting() == {(desk.learner, desk.competency)}
    assert "Something changed since this status was worked out" in desk.text(desk.page)


def test_a_given_status_is_taken_back(desk):
    desk.send(GIVEN)

    answer = desk.send({"act": "take_back"})

    assert answer.status_code == 303
    assert desk.judged().overrides == {}
    assert "gave the status" not in desk.text(desk.page)


def test_a_piece_is_taken_out_with_a_reason_and_put_back(desk, ids):
    item = ids.item["Quiz one"]

    desk.send({"act": "take_out", "piece": item, "reason": "Another one's work."})
    text = desk.text(desk.page)
    desk.send({"act": "put_back", "piece": item})

    assert "No. Taken out by Ada Lovelace on 20 Nov 2026: Another one&#39;s work." in text
    assert desk.judged().exclusions == {}


def test_a_learner_reads_who_took_a_piece_out_and_why(stage, desk, ids):
    desk.send({"act": "take_out", "piece": ids.item["Quiz one"], "reason": "A mix-up."})

    learner = Desk(stage, ids)
    assert "Taken out by Ada Lovelace" in learner.text(f"{learner.base}/me")


def test_a_piece_is_given_a_day_and_the_gradebooks_again(desk, ids):
    item = ids.item["Quiz one"]

    desk.send({"act": "date", "piece": item, "on": "2026-10-05"})
    text = desk.text(desk.page)
    desk.send({"act": "undate", "piece": item})

    assert "5 Oct 2026 date given by Ada Lovelace" in text
    assert desk.judged().dates == {}


BAD = {
    "no status": {**GIVEN, "status": ""},
    "a status of time's own": {**GIVEN, "status": str(Status.RECHECK_DUE.value)},
    "no reason": {**GIVEN, "reason": " "},
    "a day that is over": {**GIVEN, "until": "2026-11-01"},
}


@pytest.mark.parametrize("fields", BAD.values(), ids=BAD)
def test_what_cannot_be_meant_is_told_and_nothing_typed_is_lost(still, fields):
    answer = still.send(fields)

    assert answer.status_code == 422
    assert "Nothing was changed yet." in answer.text
    assert 'aria-invalid="true"' in answer.text or "Choose the status" in answer.text
    assert still.judged().overrides == {}
    for name in ("reason", "until"):
        assert fields.get(name, "").strip().replace("<", "&lt;")[:10] in answer.text
    is_status_kept = f'value="{fields["status"]}" checked' in answer.text
    assert is_status_kept == (fields["status"] == GIVEN["status"])


def test_a_piece_is_not_taken_out_without_a_reason(still):
    answer = still.send({"act": "take_out", "piece": still.ids.item["Quiz one"], "reason": ""})

    assert answer.status_code == 422
    assert answer.text.count("<details open>") == 1


def test_a_day_to_come_is_not_taken(still):
    answer = still.send({"act": "date", "piece": still.ids.item["Quiz one"], "on": "2026-11-21"})

    assert answer.status_code == 422
    assert "still to come" in answer.text
    assert 'value="2026-11-21"' in answer.text


@pytest.mark.parametrize(
    "fields",
    [
        {"act": "expel"},
        {},
        {"act": "take_out", "piece": "999", "reason": "x"},
        {"act": "put_back", "piece": ""},
    ],
    ids=str,
)
def test_a_form_that_no_page_has_is_not_taken(still, fields):
    assert still.send(fields).status_code == 404


@pytest.mark.parametrize("code", ["L.1", "Z.9"])
def test_a_teacher_judges_what_their_course_speaks_for(school, code):
    assert Desk(*school, code=code, **TEACHER).get().status_code == 404


PEOPLE = {
    "a learner": ({}, 403),
    "a guardian": (GUARDIAN, 403),
    "an administrator": (ADMINISTRATOR, 403),
    "an assistant": (ASSISTANT, 403),
}


@pytest.mark.parametrize(("claims", "status"), PEOPLE.values(), ids=PEOPLE)
def test_nobody_but_a_teacher_judges(school, claims, status):
    desk = Desk(*school, **claims)

    assert desk.get().status_code == status
    assert "judge/" not in desk.get(desk.base + "/me").text


@pytest.mark.parametrize("learner", ["Chidi", "Foreigner"])
def test_a_teacher_judges_the_active_learners_of_their_course(school, learner):
    assert Desk(*school, learner=learner, **TEACHER).get().status_code == 404


def test_a_teacher_of_another_tenant_judges_nobody_here(school):
    desk = Desk(*school, **TEACHER)
    other = Desk(*school, **TEACHER)
    stage, _ = school
    other.browser = stage.browser()
    landing = launch(other.browser, stage.same_issuer, **TEACHER).headers["Location"]
    base = "/".join(landing.split("/")[:3])

    assert other.browser.get(desk.address.replace(desk.base, base)).status_code == 404


def test_an_assistant_sees_the_evidence_and_no_way_to_judge(school):
    assistant = Desk(*school, **ASSISTANT)

    page = assistant.get(assistant.page)

    assert "Hidden quiz" in page.text
    assert "/judge/" not in page.text


@pytest.mark.parametrize("csrf", ["", "x" * 43])
def test_a_form_of_somebody_else_changes_nothing(still, csrf):
    assert still.send(GIVEN, csrf=csrf).status_code == 403
    assert still.judged().overrides == {}


def test_a_foreign_site_changes_nothing(still):
    answer = still.send(GIVEN, **{"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 403
    assert still.judged().overrides == {}


def test_the_page_needs_no_script_and_names_its_fields(still):
    html = still.get().text

    assert scripts_of(html) == EVERY_PAGES
    assert "style=" not in html
    for name in re.findall(r'<(?:textarea|input) id="([^"]+)"', html):
        assert f'<label for="{name}"' in html
