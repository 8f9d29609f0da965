"""What LMSs and their files keep as HTML, as plain text."""

import re
from html.parser import HTMLParser

_APART = frozenset({"p", "br", "li", "div"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        if tag in _APART:
            self.parts.append(" ")


def plain(text: str) -> str:
    """HTML as plain text on one line."""
    if "<" not in text and "&" not in text:
        return " ".join(text.split())
    reader = _Text()
    reader.feed(text)
    reader.close()
    return re.sub(r"\s+", " ", "".join(reader.parts)).strip()
