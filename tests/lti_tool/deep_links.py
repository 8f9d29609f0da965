"""A request for links as an LMS sends it, and its answer as the LMS reads it."""

import html
import re
from dataclasses import dataclass
from typing import Any

import jwt

from tests.lti_tool.platform import LTI, MEMBERSHIP, launch

SETTINGS = "https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings"
ITEMS = "https://purl.imsglobal.org/spec/lti-dl/claim/content_items"
DATA = "https://purl.imsglobal.org/spec/lti-dl/claim/data"
ERROR = "https://purl.imsglobal.org/spec/lti-dl/claim/errormsg"
PLACEMENT = "https://www.instructure.com/placement"
RETURN_URL = "https://school.lms.example/courses/101/deep_linking_response?modal=true&x=%22"


def asking(roles: Any = (MEMBERSHIP + "Instructor",), **changes: Any) -> dict[str, Any]:
    """The claims of a request for links, its settings replaced or removed (``...``)."""
    sent = {
        "deep_link_return_url": RETURN_URL,
        "accept_types": ["link", "ltiResourceLink"],
        "accept_presentation_document_targets": ["iframe"],
        "accept_multiple": True,
        "data": "as it came: é & <b>",
    }
    settings = {name: value for name, value in (sent | changes).items() if value is not ...}
    return {
        "message_type": "LtiDeepLinkingRequest",
        "resource_link": ...,
        "target_link_uri": ...,
        "roles": list(roles),
        SETTINGS: settings,
    }


@dataclass
class Picker:
    """Somebody before the list of what can be chosen."""

    browser: Any
    address: str
    page: Any

    @property
    def csrf(self) -> str:
        return re.search(r'name="csrf" value="([^"]+)"', self.page.text)[1]

    @property
    def kinds(self) -> set[str]:
        return set(re.findall(r'type="(\w+)" name="competency"', self.page.text))

    def post(self, *competencies: int, **fields: Any) -> Any:
        form = {"csrf": self.csrf, "action": "place", "competency": list(competencies)}
        return self.browser.post(self.address, data=form | fields)


def open_picker(stage: Any, lms: Any = None, **claims: Any) -> Picker:
    browser = stage.browser()
    address = launch(browser, lms or stage.lms, **(asking() | claims)).headers["Location"]
    return Picker(browser=browser, address=address, page=browser.get(address))


def answer_of(stage: Any, page: Any) -> dict[str, Any]:
    """The claims of an answer, its signature checked against the published key set."""
    token = html.unescape(re.search(r'name="JWT" value="([^"]+)"', page.text)[1])
    keys = jwt.PyJWKSet.from_dict(stage.browser().get("/lti/jwks").json)
    header = jwt.get_unverified_header(token)
    assert header["alg"] == "RS256"
    return jwt.decode(
        token,
        keys[header["kid"]],
        algorithms=["RS256"],
        options={"verify_aud": False, "verify_exp": False, "verify_iat": False},
    )


def claim(answer: dict[str, Any], name: str) -> Any:
    return answer[LTI + name]
