"""The district's words in a response: those of the district that it is for, ours where it has none.

Templates say ``{{ called.competencies }}`` and ``{{ status.label|label }}``, code says
``words().say("... {competencies} ...")``; nothing is replaced in what was said already.
"""

from collections.abc import Mapping

from flask import Flask
from werkzeug.local import LocalProxy

from lti_tool.languages import words


def register(app: Flask) -> None:
    """Give the templates the words."""
    app.jinja_env.globals["called"] = LocalProxy(_called)


def _called() -> Mapping[str, str]:
    return words().terms
