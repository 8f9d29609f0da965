"""LTI Platform Notification Service 1.0: asking an LMS to tell Waymark of things by itself."""

import json

from connectors.bearer import BearerCalls
from connectors.exchange import Request
from connectors.http import HttpClient
from connectors.platform import PlatformAccess
from connectors.tokens import ServiceTokens

NOTICE_HANDLERS = "https://purl.imsglobal.org/spec/lti/scope/noticehandlers"
_JSON = "application/json"


class NoticeHandlers:
    """Where one platform sends notices of one deployment."""

    def __init__(self, http: HttpClient, tokens: ServiceTokens, *, access: PlatformAccess) -> None:
        """Take the platform.

        Args:
            http: The platform's client.
            tokens: Where bearer tokens come from.
            access: The platform.
        """
        self._calls = BearerCalls(http, tokens, access=access)

    def register(self, service: str, notice_type: str, *, handler: str) -> None:
        """Have notices of one type sent to an address, in place of where they went before.

        Args:
            service: The service's address, as a launch named it.
            notice_type: For example ``LtiContextCopyNotice``.
            handler: On Waymark's own site; the empty text ends it.

        Source: LTI Platform Notification Service 1.0, 3; contracts/canvas.md 5.9.
        """
        body = {"notice_type": notice_type, "handler": handler}
        headers = {"Accept": _JSON, "Content-Type": _JSON}
        self._calls.send(
            Request(method="PUT", url=service, headers=headers, body=json.dumps(body).encode()),
            NOTICE_HANDLERS,
        )
