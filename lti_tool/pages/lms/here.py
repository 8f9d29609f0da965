"""From where LMSs are connected: a visit to the desk, or the address that the server printed."""

from dataclasses import dataclass

from lti_tool.guards import Visit
from lti_tool.launch.services import services
from mapping.records import TenantId
from store.policy_changes import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Here:
    """Who connects LMSs, and below which address.

    Attributes:
        tenant: Whose LMSs.
        base: The address of the pages, without a slash at the end.
        by: Who, for the trail.
        may_change: Whether they may do more than look.
        csrf: Goes into every form; empty where the address itself is the secret.
        visit: None where nobody logged in.
    """

    tenant: TenantId
    base: str
    by: str
    may_change: bool = True
    csrf: str = ""
    visit: Visit | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is before anybody came in from an LMS."""
        return self.visit is None

    def author(self) -> Author:
        """Who changes something now."""
        return Author(by=self.by, at=services().now())
