"""Who asks the browser or the LMS for more contrast gets it."""

import re
from itertools import product
from pathlib import Path

import pytest

import lti_tool
from tests.lti_tool.classroom import fill
from tests.lti_tool.test_pages import Visitor

_CSS = (Path(lti_tool.__file__).parent / "static" / "tokens.css").read_text("utf-8")
_MORE = ' data-contrast="more"'


@pytest.fixture(scope="module")
def stage(shared_stage):
    fill(shared_stage)
    return shared_stage


@pytest.mark.parametrize(
    ("said", "has_more"),
    [
        ("true", True),
        (True, True),
        ("false", False),
        ("$Canvas.user.prefersHighContrast", False),
        (None, False),
    ],
)
def test_the_high_contrast_of_canvas_is_that_of_the_page(stage, said, has_more):
    custom = {"canvas_course_id": "101", "canvas_user_id": "7", "canvas_high_contrast": said}

    page = Visitor(stage, custom=custom).get().text

    assert (_MORE in page) is has_more


def _colours(rule):
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", rule))


def _rules(selector):
    return [_colours(one) for one in re.findall(re.escape(selector) + r" \{([^}]*)\}", _CSS)]


def _luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_more_contrast_is_seven_to_one_for_every_text_light_and_dark():
    light, dark, *_ = _rules(":root")
    found = {
        (name, ground, scheme): _contrast(colours[name], colours[ground])
        for scheme, colours in zip(
            ("light", "dark"),
            (
                {**base, **more}
                for base, more in zip(
                    (light, {**light, **dark}), _rules(':root[data-contrast="more"]'), strict=True
                )
            ),
            strict=True,
        )
        for name, ground in product(("ink", "quiet", "link", "wrong"), ("paper", "panel"))
    }

    assert len(found) == 16
    assert {key: value for key, value in found.items() if value < 7.0} == {}


def test_the_lms_and_the_browser_mean_the_same_contrast():
    _, _, *asked_of_the_browser = _rules(":root")

    assert _rules(':root[data-contrast="more"]') == asked_of_the_browser
