"""What the storage for tools serves; how it behaves in a browser is looked at in tests/browser."""

import re

import pytest

from simulators.canvas.storage import MODES

FRAME = "/post_message_forwarding"


def target_of(page):
    return re.search(r'name="lti_storage_target" value="([^"]*)"', page).group(1)


def test_the_frame_and_the_page_around_tools_run_the_same_script(browser):
    pages = [browser.get(address).text for address in (FRAME, "/courses/101?user=3")]

    assert all(f'<script src="{FRAME}.js"></script>' in page for page in pages)


def test_the_script_answers_the_three_messages(browser):
    answer = browser.get(f"{FRAME}.js")

    assert answer.mimetype == "text/javascript"
    for subject in ("lti.capabilities", "lti.put_data", "lti.get_data"):
        assert f'"{subject}"' in answer.text


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_kept_until_the_next(browser, mode):
    browser.post("/_control/storage", json={"mode": mode})

    script = browser.get(f"{FRAME}.js").text

    assert f'const mode = "{mode}";' in script


def test_tools_are_told_of_the_frame_unless_the_page_itself_is_chosen(browser):
    before = target_of(browser.get("/courses/101?user=3").text)

    browser.post("/_control/storage", json={"mode": "on", "target": "_parent"})

    assert before == "post_message_forwarding"
    assert target_of(browser.get("/courses/101?user=3").text) == "_parent"


@pytest.mark.parametrize(
    ("host", "other"), [("127.0.0.1", "localhost"), ("localhost", "127.0.0.1")]
)
def test_elsewhere_is_the_same_frame_at_the_other_name_of_this_machine(browser, host, other):
    browser.post("/_control/storage", json={"mode": "elsewhere"})

    moved = browser.get(FRAME, base_url=f"http://{host}:8001")
    arrived = browser.get(f"{FRAME}?moved=1", base_url=f"http://{other}:8001")

    assert moved.status_code == 302
    assert moved.headers["Location"] == f"http://{other}:8001{FRAME}?moved=1"
    assert arrived.status_code == 200


@pytest.mark.parametrize("sent", [{}, {"mode": "loud"}, {"mode": "on", "target": "_top"}, []])
def test_control_refuses_a_storage_that_is_not_simulated(browser, sent):
    assert browser.post("/_control/storage", json=sent).status_code == 400
