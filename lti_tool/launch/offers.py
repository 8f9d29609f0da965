"""What proven launches say of notices: kept once, so that launches cost the database nothing."""

from collections.abc import Hashable

from sqlalchemy import Engine

from lti_tool.guards import course_of
from lti_tool.launch.claims import VerifiedClaims
from store import notice_handlers
from store.registrations import Platform
from store.session import writing

_MOST_KEPT = 20_000


class NoticeOffers:
    """Which offers this process has kept already."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: set[Hashable] = set()

    def note(self, claims: VerifiedClaims, platform: Platform) -> None:
        """Keep where an LMS registers who wants notices, and what it calls the course in them.

        An LMS without notices costs nothing; the first launch of a course costs a write.

        Args:
            claims: Of a launch that was proven, from a deployment that is approved.
            platform: That signed it.
        """
        if not claims.notices_url:
            return
        self._note_offer(claims, platform)
        self._note_context(claims, platform)

    def _note_offer(self, claims: VerifiedClaims, platform: Platform) -> None:
        offer = (platform.id, claims.deployment, claims.notices_url, claims.notice_types)
        if offer in self._known:
            return
        with writing(self._engine) as connection:
            notice_handlers.note_offer(
                connection,
                platform.id,
                claims.deployment,
                url=claims.notices_url,
                types=claims.notice_types,
            )
        self._keep(offer)

    def _note_context(self, claims: VerifiedClaims, platform: Platform) -> None:
        course = course_of(claims, platform)
        place = (platform.id, course, claims.context)
        if course is None or claims.context is None or place in self._known:
            return
        with writing(self._engine) as connection:
            is_known = notice_handlers.note_context(
                connection, platform.id, course, context=claims.context
            )
        if is_known:
            self._keep(place)

    def _keep(self, fact: Hashable) -> None:
        if len(self._known) >= _MOST_KEPT:
            self._known = set()
        self._known.add(fact)
