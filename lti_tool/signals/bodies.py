"""Bodies of requests that programs send: bounded, and of a type that is expected."""

from collections.abc import Collection

from flask import Request

from lti_tool.launch.refusals import RequestTooLarge, WrongMediaType


def body_of(request: Request, *, types: Collection[str], most_bytes: int) -> bytes:
    """The whole body.

    Args:
        request: A POST.
        types: The media types that may come.
        most_bytes: Reading stops there.

    Raises:
        WrongMediaType: It is of another type.
        RequestTooLarge: It is longer.
    """
    if request.mimetype not in types:
        raise WrongMediaType("media_type")
    if (request.content_length or 0) > most_bytes:
        raise RequestTooLarge("body_too_large")
    # A body in chunks does not say how long it is.
    request.max_content_length = most_bytes + 1
    data = request.get_data(cache=False)
    if len(data) > most_bytes:
        raise RequestTooLarge("body_too_large")
    return data
