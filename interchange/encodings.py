"""Bytes as text, in whatever encoding a spreadsheet wrote them."""

from dataclasses import dataclass

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_LOOKED_AT = 4_096
_MOSTLY = 0.3
"""Of the bytes at even or odd places, so many are zero in UTF-16 of any Western language."""
_LONGEST_SIGN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A text, and the encoding that its bytes were read in."""

    text: str
    encoding: str


def decoded(data: bytes) -> Decoded:
    """Text out of bytes: by their byte order mark, as UTF-16 or UTF-8, or else as Windows-1252.

    Args:
        data: A file.

    Returns:
        The text without the mark.

    Raises:
        UnicodeError: The file ends in the middle of a sign, or is no text in any of these.
    """  # noqa: DOC502 - raised by the decoder
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _decoded(data[len(mark) :], encoding)
    encoding = _by_zeros(data[:_LOOKED_AT])
    if encoding:
        return _decoded(data, encoding)
    try:
        return _decoded(data, "utf-8")
    except UnicodeDecodeError as error:
        if error.end == len(data) and len(data) - error.start < _LONGEST_SIGN and error.start:
            _refuse_cut(data, error)
        return _decoded(data, "cp1252")


def _decoded(data: bytes, encoding: str) -> Decoded:
    return Decoded(text=data.decode(encoding), encoding=encoding)


def _refuse_cut(data: bytes, error: UnicodeDecodeError) -> None:
    """Tell a file in UTF-8 that was cut off from one in Windows-1252."""
    before = data[: error.start]
    if not before.isascii():
        raise error


def _by_zeros(head: bytes) -> str:
    """UTF-16 without a mark, seen by the zeros between its letters; empty for anything else."""
    places = len(head) // 2
    if places == 0:
        return ""
    if head[1::2].count(0) > _MOSTLY * places and head[::2].count(0) == 0:
        return "utf-16-le"
    if head[::2].count(0) > _MOSTLY * places and head[1::2].count(0) == 0:
        return "utf-16-be"
    return ""
