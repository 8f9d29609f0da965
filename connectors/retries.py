"""Sending again what may succeed in a moment, so that a hiccup on page 37 costs one page.

Only two things are sent again: what the LMS refused for being too fast, for it has done nothing
then; and what only asks. A write that went wrong is never repeated blindly: it may have been
done, and reading tells.
"""

from collections.abc import Callable
from dataclasses import dataclass

from connectors.errors import RetryLater
from connectors.exchange import Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Retries:
    """How often and after what pauses a request is sent again.

    Attributes:
        sleep: Waits for seconds.
        draw: A number from 0 to 1, drawn anew at each call: workers that failed together must
            not come back together.
        tries: How often a request is sent at most, 1 or more.
        pause_seconds: The longest pause before the second try; the next is four times as long.
        patience_seconds: Where the LMS asks for a longer pause, the work is put back instead.
    """

    sleep: Callable[[float], None]
    draw: Callable[[], float]
    tries: int = 3
    pause_seconds: float = 0.5
    patience_seconds: float = 30.0

    def sent(self, request: Request, send: Callable[[Request], Reply]) -> Reply:
        """Send a request, again where that may help.

        Args:
            request: What to ask.
            send: Sends it once.

        Returns:
            The first answer that is none of the troubles of a moment.

        Raises:
            RetryLater: The last trouble, as it came.

        Source: exponential backoff with full jitter, AWS Architecture Blog, 2015.
        """
        for number in range(self.tries - 1):
            try:
                return send(request)
            except RetryLater as error:
                if not self._may_help(request, error):
                    raise
                self._pause(number, error)
        return send(request)

    def _may_help(self, request: Request, error: RetryLater) -> bool:
        if error.after_seconds > self.patience_seconds:
            return False
        return error.is_throttle or (error.is_hiccup and request.may_repeat)

    def _pause(self, number: int, error: RetryLater) -> None:
        # A throttled worker waits its turn with all others, in the limiter.
        if not error.is_throttle:
            self.sleep(max(self.draw() * self.pause_seconds * 4**number, error.after_seconds))
