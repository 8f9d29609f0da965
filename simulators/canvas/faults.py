"""Troubles that a test or a story can switch on."""

from dataclasses import dataclass

MODES = ("none", "down", "html", "slow", "expired_token", "throttle")
SLOW_SECONDS = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One trouble.

    ``seconds`` is the delay of each answer where ``mode`` is slow, else how long the trouble
    lasts; None is until further notice. ``status`` is what a throttled client sees.
    """

    mode: str = "none"
    seconds: float | None = None
    since: float = 0.0
    status: int = 403

    def mode_at(self, now: float) -> str:
        """The mode at a moment, none once the trouble is over."""
        if self.mode == "slow" or self.seconds is None:
            return self.mode
        return self.mode if now < self.since + self.seconds else "none"

    @property
    def delay_seconds(self) -> float:
        """How long each answer takes where ``mode`` is slow."""
        return SLOW_SECONDS if self.seconds is None else self.seconds

    def expires(self, issued_at: float, now: float) -> bool:
        """Whether a token issued before the trouble began is to be called expired."""
        return self.mode_at(now) == "expired_token" and issued_at < self.since
