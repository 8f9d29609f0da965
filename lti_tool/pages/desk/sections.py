"""Where an administrator can go: the sections of the desk, in the order of the work."""

from functools import cache

from flask import Flask, current_app

_SECTIONS = (
    ("desk", "Start"),
    ("frameworks", "Frameworks"),
    ("mappings", "Mappings"),
    ("rules", "Rules"),
    ("courses", "Courses"),
    ("gradebooks", "Gradebooks"),
    ("runs", "Runs"),
    ("failures", "Failures"),
    ("changes", "Changes"),
    ("people", "People"),
    ("lms", "LMSs"),
    ("schools", "Schools"),
)


def register(app: Flask) -> None:
    """Give the templates the sections that there are."""
    app.jinja_env.globals.update(desk_sections=desk_sections, has_page=has_page)


def desk_sections() -> tuple[tuple[str, str], ...]:
    """The address below the visit and the name of each section."""
    return tuple((page, words) for page, words in _SECTIONS if has_page(page))


def has_page(page: str) -> bool:
    """Whether a visit has this page."""
    return f"/l/<launch_id:launch_id>/{page}" in _addresses(_app())


@cache
def _addresses(app: Flask) -> frozenset[str]:
    return frozenset(rule.rule for rule in app.url_map.iter_rules())


def _app() -> Flask:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - Flask's own way
    return app
