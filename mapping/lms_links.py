"""What an LMS itself links work to, and which competency of a framework it means by that."""

import json
from collections.abc import Iterable, Sequence

from mapping.records import LmsLink

_MOST = 50
_LONGEST = 512


class KnownNames:
    """The competencies of some frameworks by every name that an LMS may have for them."""

    def __init__(self, known: Iterable[tuple[str, str, str]]) -> None:
        """Competencies, each by its framework, its identifier and its code."""
        found = list(known)
        self._by_name: dict[tuple[str, str], str] = {
            (framework, code.casefold()): code for framework, _, code in found if code
        }
        # An identifier is surer than a code, which another competency may have for its own.
        self._by_name |= {
            (framework, identifier.casefold()): code
            for framework, identifier, code in found
            if identifier
        }

    def meant(self, framework: str, link: LmsLink) -> str | None:
        """The code of the competency that a link means in a framework, None where it has none.

        Args:
            framework: Its identifier.
            link: The names of one thing, the surest first; letters without case.
        """
        found = (self._by_name.get((framework, name.casefold())) for name in link)
        return next((code for code in found if code is not None), None)

    def codes(self, framework: str, links: Iterable[LmsLink]) -> tuple[str, ...]:
        """The codes of all that some links mean in a framework, each once, in their order."""
        found = (self.meant(framework, link) for link in links)
        return tuple(dict.fromkeys(code for code in found if code is not None))


NOTHING_KNOWN = KnownNames(())


def links_as_text(links: Sequence[LmsLink]) -> str:
    """Links as one text that ``links_of_text`` reads as the same; empty where there is none."""
    return json.dumps(links, ensure_ascii=False, separators=(",", ":")) if links else ""


def links_of_text(text: str) -> tuple[LmsLink, ...]:
    """Links of the text that was made of them."""
    return tuple(tuple(link) for link in json.loads(text)) if text else ()


def bounded(links: Iterable[LmsLink]) -> tuple[LmsLink, ...]:
    """Links without names that are empty or too long to be one, and not more than can be meant."""
    kept = (tuple(name for name in link if 0 < len(name) <= _LONGEST) for link in links)
    return tuple(dict.fromkeys(link for link in kept if link))[:_MOST]
