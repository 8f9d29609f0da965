"""An administrator begins at the start page and searches the trail, by keyboard, too."""

import pytest

from store.policy_changes import Author, PolicyKind, record_change
from store.session import writing
from tests.browser.desk import overflow, walk_by_tab
from tests.browser.every_page import administrator

pytestmark = [pytest.mark.browser, pytest.mark.story]


@pytest.fixture
def told(stage):
    """Two changes, one of a rule, which no other test looks for."""
    author = Author(by="Vera Lima", at=stage.container.now(), reason="Tried in March.")
    with writing(stage.container.engine) as connection:
        record_change(
            connection, stage.tenant, author.change(PolicyKind.MODE, "shadow", "advisory")
        )
        record_change(
            connection,
            stage.tenant,
            author.change_of(
                PolicyKind.RULE, "district", before='{"count": 2}', after='{"count": 3}'
            ),
        )


@pytest.mark.usefixtures("told")
def test_a_search_changes_the_list_and_not_the_page(desk):
    visit = administrator(desk)
    visit.click("nav a:has-text('Changes')", to="changes")
    visit.frame.evaluate("window.mark = 1")

    visit.frame.get_by_label("What", exact=True).select_option("rule")
    visit.frame.locator("#found", has_not_text="advisory").wait_for()
    visit.frame.get_by_label("Containing").fill("march")
    visit.page.keyboard.press("Enter")
    visit.frame.locator("#found", has_text="count").wait_for()

    assert visit.frame.evaluate("window.mark") == 1
    assert "kind=rule" in visit.frame.locator("#found a[href*=export]").get_attribute("href")
    assert visit.frame.locator("#found tbody th").count() >= 1
    assert "district" in visit.frame.locator("#found").inner_text()
    assert overflow(visit.frame) == 0


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_what_was_found_is_saved(desk):
    visit = administrator(desk)
    visit.go("changes?kind=rule")

    with visit.page.expect_download() as saved:
        visit.frame.locator("#found a[href*=export]").click()

    text = saved.value.path().read_text(encoding="utf-8-sig")
    assert text.startswith("when (UTC),what,of")
    assert "Tried in March." in text
    assert ",mode," not in text


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("size", ["laptop"], indirect=True)
def test_the_trail_is_searched_without_scripts(desk):
    visit = administrator(desk)
    visit.go("changes")

    page = desk.without_scripts(visit)
    page.get_by_label("What", exact=True).select_option("rule")
    page.get_by_role("button", name="Search").click()

    assert "kind=rule" in page.url
    assert "count" in page.locator("#found").inner_text()


@pytest.mark.parametrize("path", ["desk", "changes", "runs"])
def test_everything_is_reached_by_tab(desk, path):
    visit = administrator(desk)
    visit.go(path)

    count, reached, faint = walk_by_tab(visit)

    assert set(reached) == set(range(count))
    assert faint == []


def test_the_sections_take_a_small_part_of_the_screen(desk):
    visit = administrator(desk)

    height = visit.frame.locator(".bar").bounding_box()["height"]

    assert height <= 140
