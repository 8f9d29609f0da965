"""Ratings of Moodle's own competencies: found, given, read back, never over a person's."""

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import connect
from connectors.errors import GiveUp, RetryLater, Unauthorized
from connectors.moodle.competencies import (
    COURSE_COMPETENCIES,
    FRAMEWORKS,
    RATINGS,
    SCALE_VALUES,
    competency_identifier,
)
from connectors.moodle.ratings import GRADE, SUMMARY, Ratings, values_of
from connectors.platform import PlatformKind
from mapping.passback import LEVELS
from mapping.records import ColumnMarks, ColumnSpec, FoundMark, Mark, PassbackWay, WriteState
from tests.contracts.subjects import get, live_services, post, simulated, simulated_access

COURSE, ADA = "4", "7"
ME, TEACHER = 2, 50
SPEC = ColumnSpec(
    tag="waymark:N.1", title="Waymark: Count", way=PassbackWay.COMPETENCY, maximum=3.0, code="N.1"
)
COLUMN = "competency 11"
FOUR, TWO = frozenset({3, 4}), frozenset({2})


class Service:
    """Answers like Moodle's web service, for one learner and one competency.

    ``grade`` is what was rated last, by ``rater`` with ``note``; ``refusal`` is raised instead
    of rating; ``is_deaf`` takes ratings and does not keep them.
    """

    platform, issuer = "Moodle", "https://moodle.example"

    def __init__(self, *, proficient=FOUR, grade=None, rater=ME, note=None):
        self.proficient, self.grade, self.rater, self.note = proficient, grade, rater, note
        self.competencies = [{"id": 11, "idnumber": "N.1"}]
        self.refusal: Exception | None = None
        self.is_deaf = self.lacks_rating = False
        self.called: list[str] = []

    def offers(self, function):
        return not (function == GRADE and self.lacks_rating)

    def call(self, function, arguments, shape):
        self.called.append(function)
        answers = {
            "core_webservice_get_site_info": lambda: {"userid": ME},
            "core_enrol_get_enrolled_users": self._people,
            COURSE_COMPETENCIES: self._of_course,
            FRAMEWORKS: list,
            RATINGS: self._ratings,
            SUMMARY: self._summary,
            SCALE_VALUES: lambda: [{"id": 4, "name": "Exemplary"}],
            GRADE: lambda: self._rate(arguments),
        }
        return msgspec.convert(answers[function](), shape)

    write = call

    def _people(self):
        role = {"roleid": 5, "shortname": "student"}
        return [{"id": int(ADA), "fullname": "Ada", "roles": [role]}]

    def _of_course(self):
        levels = [{"id": value, "proficient": 1} for value in sorted(self.proficient)]
        scale = {"scaleid": 3, "scaleconfiguration": msgspec.json.encode(levels).decode()}
        more = {"shortname": "Count", "competencyframeworkid": 1, **scale}
        return [{"competency": {**more, **one}} for one in self.competencies]

    def _ratings(self):
        rating = {"competencyid": 11, "grade": self.grade, "usermodified": self.rater}
        return {"usercompetencies": [{"usercompetencycourse": rating}]}

    def _summary(self):
        old = {"id": 1, "actionuserid": TEACHER, "grade": 1, "note": "Old"}
        new = {"id": 5, "actionuserid": self.rater, "grade": self.grade, "note": self.note}
        evidence = [old, new, {"id": 9, "grade": None, "note": "A file was added"}]
        return {"usercompetencysummary": {"evidence": evidence}}

    def _rate(self, arguments):
        if self.refusal is not None:
            raise self.refusal
        if not self.is_deaf:
            self.grade, self.note, self.rater = arguments["grade"], arguments["note"], ME
        return {"id": 6}


def found(service):
    return Ratings(service).read(COURSE, COLUMN).get(ADA)


def rate(service, level, words=""):
    mark = Mark(learner_ref=ADA, words=words or LEVELS[level - 1].label, points=float(level))
    write = ColumnMarks(column=COLUMN, spec=SPEC, marks=[mark])
    return Ratings(service).write(COURSE, write)[0]


@given(st.frozensets(st.integers(1, 10)), st.integers(2, 6))
def test_values_rise_with_the_levels_and_only_the_last_is_proficient(proficient, levels):
    values = values_of(proficient, levels=levels)

    if not values:
        assert not proficient or 1 in proficient
        return
    assert len(values) == levels
    assert list(values) == sorted(values)
    assert values[-1] == min(proficient)
    assert all(1 <= value < values[-1] for value in values[:-1])


@pytest.mark.parametrize(
    ("proficient", "values"),
    [(FOUR, (1, 2, 3)), (TWO, (1, 1, 2)), (frozenset({5}), (1, 4, 5)), (frozenset({1}), ())],
)
def test_three_levels_spread_over_a_scale(proficient, values):
    assert values_of(proficient, levels=3) == values


def test_a_competency_is_found_by_its_idnumber():
    assert Ratings(Service()).find(COURSE, SPEC) == COLUMN


def test_an_imported_competency_is_found_by_its_identifier_whatever_its_idnumber():
    service = Service()
    service.competencies = [{"id": 10, "idnumber": "N.1"}, {"id": 11, "idnumber": "X"}]
    spec = replace(SPEC, identifier=competency_identifier(service, 11))

    assert Ratings(service).find(COURSE, spec) == COLUMN


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"competencies": []}, "competency_not_in_course"),
        (
            {"competencies": [{"id": n, "idnumber": "N.1"} for n in (1, 2)]},
            "competency_not_found",
        ),
        ({"proficient": frozenset({1, 2})}, "scale_unusable"),
        ({"lacks_rating": True}, "function_missing"),
    ],
)
def test_what_cannot_be_rated_is_given_up_with_why(change, cause):
    service = Service()
    for name, value in change.items():
        setattr(service, name, value)

    with pytest.raises(GiveUp) as caught:
        Ratings(service).find(COURSE, SPEC)

    assert caught.value.cause == cause


@pytest.mark.parametrize(
    ("grade", "rater", "mark"),
    [
        (None, ME, None),
        (2, ME, FoundMark(points=2.0, is_ours=True)),
        (3, TEACHER, FoundMark(points=3.0, is_ours=False)),
        (3, 0, FoundMark(points=3.0, is_ours=None)),
        (4, TEACHER, FoundMark(words="Exemplary", is_ours=False)),
    ],
)
def test_a_rating_is_read_as_a_level_with_whose_it_is(grade, rater, mark):
    assert found(Service(grade=grade, rater=rater)) == mark


@pytest.mark.parametrize(("note", "level"), [("Emerging", 1.0), ("Developing", 2.0), ("?", 2.0)])
def test_levels_that_share_a_value_are_told_apart_by_our_note(note, level):
    service = Service(proficient=TWO, grade=1, note=note)

    assert found(service) == FoundMark(points=level, words=note, is_ours=True)


def test_a_rating_goes_out_as_the_scales_value_with_the_words_and_is_read_back():
    service = Service(proficient=frozenset({4}))

    outcome = rate(service, 2)

    assert outcome.state is WriteState.CONFIRMED
    assert (service.grade, service.note) == (3, "Developing")
    assert service.called[-1] == RATINGS


def test_a_rating_is_read_anew_after_it_was_given():
    service = Service(grade=1)
    ratings = Ratings(service)
    before = ratings.read(COURSE, COLUMN)[ADA]
    mark = Mark(learner_ref=ADA, words="Mastered", points=3.0)

    ratings.write(COURSE, ColumnMarks(column=COLUMN, spec=SPEC, marks=[mark]))

    assert before.points == 1.0
    assert ratings.read(COURSE, COLUMN)[ADA].points == 3.0


def test_a_rating_that_is_not_to_be_seen_is_unconfirmed():
    service = Service()
    service.is_deaf = True

    assert rate(service, 2).state is WriteState.UNCONFIRMED


@pytest.mark.parametrize(
    ("cause", "word"),
    [("codingerror", "active learner"), ("invalidpersistenterror", "scale")],
)
def test_a_refusal_of_one_learner_says_why(cause, word):
    service = Service()
    service.refusal = GiveUp("No.", cause=cause)

    outcome = rate(service, 2)

    assert outcome.state is WriteState.REFUSED
    assert word in outcome.reason


@pytest.mark.parametrize(
    ("refusal", "kind", "word"),
    [
        (Unauthorized("No.", cause="nopermissions"), Unauthorized, "competencygrade"),
        (Unauthorized("The token.", cause="invalidtoken"), Unauthorized, "token"),
        (RetryLater("Later.", cause="maintenance"), RetryLater, "Later"),
    ],
)
def test_a_trouble_of_everybody_ends_the_writing(refusal, kind, word):
    service = Service()
    service.refusal = refusal

    with pytest.raises(kind, match=word):
        rate(service, 2)


def test_a_competency_taken_out_of_the_course_is_gone():
    service = Service()
    service.competencies = []

    with pytest.raises(GiveUp) as caught:
        found(service)

    assert caught.value.cause == "competency_not_in_course"


@pytest.fixture
def moodle(tmp_path, district):
    with simulated(district, tmp_path, PlatformKind.MOODLE, PassbackWay.COMPETENCY) as opened:
        yield opened


def test_a_rating_of_a_person_in_the_simulated_moodle_is_told_from_ours(moodle):
    spec = moodle.spec(moodle.codes[0])
    book, learner = moodle.gradebook, moodle.two_learners()[0]
    column = book.ensure_column(moodle.course, spec)
    mark = Mark(learner_ref=learner, words="Emerging", points=1.0)
    write = ColumnMarks(column=column, spec=spec, marks=[mark])
    book.write_marks(moodle.course, [write], now=moodle.now())
    ours = book.read_marks(moodle.course, column, spec)[learner]

    change = {"kind": "rate_competency", "item": column.partition(" ")[2], "value": 4}
    post(f"{moodle.url}/_control/change", {**change, "course": moodle.course, "learner": learner})
    access = simulated_access(moodle.state, PlatformKind.MOODLE, moodle.url)
    theirs = connect(access, live_services()).read_marks(moodle.course, column, spec)[learner]

    assert ours == FoundMark(points=1.0, is_ours=True)
    assert (theirs.points, theirs.is_ours) == (None, False)
    assert theirs.words


def test_ratings_change_no_course_total(moodle):
    grades = f"{moodle.url}/_control/course_grades?course={moodle.course}"
    spec, learner = moodle.spec(moodle.codes[0]), moodle.two_learners()[0]
    before = get(grades)
    column = moodle.gradebook.ensure_column(moodle.course, spec)
    mark = Mark(learner_ref=learner, words="Mastered", points=3.0)

    write = ColumnMarks(column=column, spec=spec, marks=[mark])
    moodle.gradebook.write_marks(moodle.course, [write], now=moodle.now())

    assert get(grades) == before


def test_a_service_user_who_may_not_rate_is_told_which_right_is_missing(moodle):
    spec, learner = moodle.spec(moodle.codes[0]), moodle.two_learners()[0]
    column = moodle.gradebook.ensure_column(moodle.course, spec)
    post(f"{moodle.url}/_control/rights", {"missing": ["moodle/competency:competencygrade"]})
    mark = Mark(learner_ref=learner, words="Mastered", points=3.0)
    write = ColumnMarks(column=column, spec=spec, marks=[mark])

    with pytest.raises(Unauthorized, match="competencygrade"):
        moodle.gradebook.write_marks(moodle.course, [write], now=moodle.now())
