"""Looks at a page with axe-core, for WCAG 2.2 AA and for what is good practice beside it."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page

from tests.browser.every_page import page_of

_TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {"type": "tag", "values": list(_TAGS)},
    # Off in axe-core unless asked for.
    "rules": {"target-size": {"enabled": True}},
}
_AXE = Axe()


def violations(frame: Frame | Page, *, schemes: tuple[str, ...] = ("light", "dark")) -> list[str]:
    """What axe-core finds, with everything that is folded away opened."""
    frame.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = []
    for scheme in schemes:
        page_of(frame).emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        response = _AXE.run(frame, options=_OPTIONS).response
        for violation in response["violations"]:
            places = [str(node["target"]) + node["html"][:120] for node in violation["nodes"]]
            found.append(f"{scheme}: {violation['id']}: {violation['help']}: {places[:3]}")
    return found
