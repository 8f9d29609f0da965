import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping.estimators.knowledge_tracing import KnowledgeTracing, TracingRefused

MODEL = KnowledgeTracing(known=0.3, learnt=0.15, guess=0.2, slip=0.1)


def traced(*segments, model=MODEL):
    answers = np.array([answer for segment in segments for answer in segment], dtype=np.bool_)
    return model.traced(answers, np.cumsum([0, *map(len, segments)]))


# contracts/mastery-methods.md 2.3, last line.
@pytest.mark.parametrize(
    ("answers", "expected"), [((1,), 0.7098), ((1, 1), 0.9292), ((1, 1, 1), 0.9858)]
)
def test_right_answers_give_their_golden_vector(answers, expected):
    assert traced(answers).round(4).tolist() == [expected]


def one_by_one(answers, model):
    known = model.known
    for is_right in answers:
        knows = known * ((1 - model.slip) if is_right else model.slip)
        does_not = (1 - known) * (model.guess if is_right else 1 - model.guess)
        known = knows / (knows + does_not)
        known = known + (1 - known) * model.learnt
    return known


@given(st.lists(st.lists(st.booleans(), max_size=30), max_size=20))
def test_many_learners_agree_with_a_plain_loop(segments):
    chances = traced(*segments)

    expected = [one_by_one(segment, MODEL) for segment in segments]
    np.testing.assert_allclose(chances, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("field", ["known", "learnt", "guess", "slip"])
@pytest.mark.parametrize("value", [-0.01, 1.01, float("nan")])
def test_what_is_no_probability_is_refused_by_name(field, value):
    numbers = {"known": 0.3, "learnt": 0.15, "guess": 0.2, "slip": 0.1, field: value}

    with pytest.raises(TracingRefused) as refused:
        KnowledgeTracing(**numbers)

    assert refused.value.problems == (f"{field} must be 0 to 1.",)


def test_a_model_in_which_right_answers_speak_against_knowing_is_refused():
    with pytest.raises(TracingRefused, match="guess and slip"):
        KnowledgeTracing(known=0.3, learnt=0.1, guess=0.6, slip=0.4)


def test_an_answer_that_the_model_holds_impossible_tells_nothing():
    sure = KnowledgeTracing(known=1.0, learnt=0.0, guess=0.2, slip=0.0)

    assert traced((0,), model=sure).tolist() == [1.0]
