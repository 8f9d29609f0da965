from hypothesis import given
from hypothesis import strategies as st

from connectors.moodle import competencies
from connectors.moodle.webservice import Webservice
from connectors.platform import PlatformKind, open_client
from mapping.records import CourseRef, LearnerRef
from tests.connectors.doubles import access, services
from tests.connectors.moodle.conftest import recorded_access
from tests.replay import recorded

HISTORY, MATH = CourseRef("4"), CourseRef("2")
LIST = "core_competency_list_competencies"


def recorded_service(url):
    platform = recorded_access(url, issuer="https://moodle.example")
    return Webservice(open_client(platform, services()), platform)


def row(number, **more):
    return {"id": number, "shortname": f"C{number}", "competencyframeworkid": 1, **more}


FRAMEWORK = competencies.MoodleFramework(
    id=1,
    title="F",
    idnumber="FW",
    description="",
    scale=3,
    proficient=frozenset({3}),
    count=0,
)


def test_a_recorded_framework_says_which_levels_are_proficient(recorded_url):
    (found,) = competencies.frameworks(recorded_service(recorded_url))

    assert (found.title, found.idnumber, found.scale) == ("History competencies", "FW-HIST", 3)
    assert found.proficient == {3, 4}
    assert found.count == 4


def test_the_recorded_course_names_its_competencies_in_order(recorded_url):
    found = competencies.course_competencies(recorded_service(recorded_url), HISTORY)

    assert [one.idnumber for one in found] == ["HC1", "HC2", "HC3", "HC1.1"]
    assert {one.framework_idnumber for one in found} == {"FW-HIST"}
    assert {(one.scale, one.proficient) for one in found} == {(3, frozenset({3, 4}))}


def test_a_course_without_competencies_costs_one_request(recorded_url):
    service = recorded_service(recorded_url)

    assert competencies.course_competencies(service, MATH) == []
    assert service.http.calls == 1


def test_the_words_of_a_scale_begin_at_one(recorded_url):
    found = competencies.scale_values(recorded_service(recorded_url), 3)

    assert found == {1: "Not yet", 2: "Developing", 3: "Proficient", 4: "Exemplary"}


def test_recorded_ratings_tell_an_empty_one_from_a_low_one(recorded_url):
    found = competencies.ratings(recorded_service(recorded_url), HISTORY, LearnerRef("3"))

    assert [(found[n].grade, found[n].is_proficient) for n in (1, 2, 3)] == [
        (2, False),
        (None, None),
        (4, True),
    ]


def test_a_framework_comes_with_parents_first_and_html_taken_out(service, answers):
    rows = [one["competency"] for one in recorded("course_competencies_course4")]
    rows[1]["description"] = "<p>When &amp; in which order</p><p>it happened</p>"
    answers[LIST] = rows

    found = competencies.read_framework(service, FRAMEWORK)

    analysis, primary, chronology, _ = found.competencies
    assert [one.code for one in found.competencies] == ["HC1", "HC1.1", "HC2", "HC3"]
    assert (analysis.is_strand, primary.parent) == (True, analysis.identifier)
    assert analysis.statement == "Source analysis"
    assert chronology.statement == "Chronology: When & in which order it happened"


def test_the_course_and_the_framework_call_a_competency_the_same(service, answers):
    answers[LIST] = [row(7)]
    answers["core_competency_list_course_competencies"] = [{"competency": row(7)}]
    answers["core_competency_list_competency_frameworks"] = []

    imported = competencies.read_framework(service, FRAMEWORK).competencies[0]
    (named,) = competencies.course_competencies(service, MATH)

    assert named.identifier == imported.identifier


def test_identifiers_are_those_of_the_site_and_stay(service, answers, lms):
    answers[LIST] = [row(7, idnumber="A")]
    first = competencies.read_framework(service, FRAMEWORK)
    answers[LIST] = [row(7, idnumber="B")]
    again = competencies.read_framework(service, FRAMEWORK)
    elsewhere = access(lms.url, PlatformKind.MOODLE, issuer="https://other.example")
    other = Webservice(open_client(elsewhere, services()), elsewhere)

    assert first.competencies[0].identifier == again.competencies[0].identifier
    assert first.identifier != competencies.read_framework(other, FRAMEWORK).identifier


def test_every_competency_has_a_code_of_its_own(service, answers):
    answers[LIST] = [
        row(1, idnumber="A"),
        row(2, idnumber="A"),
        row(3, idnumber=" ", shortname="x" * 65),
    ]

    codes = [one.code for one in competencies.read_framework(service, FRAMEWORK).competencies]

    assert codes == ["A", "C2", "moodle-3"]


def test_pages_are_read_to_the_end(service, answers):
    every = [row(n) for n in range(1, 1101)]
    answers[LIST] = lambda form: every[int(form["skip"]) :][: int(form["limit"])]

    found = competencies.read_framework(service, FRAMEWORK)

    assert len(found.competencies) == 1100


def test_a_page_that_comes_again_ends_the_reading(service, answers):
    answers[LIST] = [row(n) for n in range(1, 501)]

    assert len(competencies.read_framework(service, FRAMEWORK).competencies) == 500


def test_what_names_a_parent_that_is_not_there_stands_at_the_top(service, answers):
    answers[LIST] = [row(1, parentid=99)]

    (found,) = competencies.read_framework(service, FRAMEWORK).competencies

    assert found.parent is None


@given(parents=st.lists(st.integers(0, 30), min_size=1, max_size=30))
def test_parents_always_come_before_their_children(parents):
    rows = [
        competencies.CompetencyRow(
            id=n, shortname=f"C{n}", competencyframeworkid=1, parentid=parent % n, sortorder=30 - n
        )
        for n, parent in enumerate(parents, 1)
    ]

    ordered = competencies.parents_first(rows)

    seen = {0}
    for one in ordered:
        assert one.parentid in seen
        seen.add(one.id)
    assert seen == {0, *range(1, len(rows) + 1)}
