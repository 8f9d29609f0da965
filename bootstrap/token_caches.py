"""A cache of service tokens that keeps nothing, for whoever must know how things are now."""


class NoTokenCache:
    """Forgets every token; see ``connectors.shared_tokens.TokenCache``."""

    def get(self, key: str) -> str | None:  # noqa: ARG002 - the cache's signature, as below
        """Nothing is kept."""
        return None

    def put(self, key: str, sealed: str, *, life_seconds: int) -> None:
        """Keep nothing."""

    def drop(self, key: str) -> None:
        """There is nothing to forget."""

    def may_fetch(self, key: str) -> bool:  # noqa: ARG002
        """Everybody may ask."""
        return True

    def has_fetched(self, key: str) -> None:
        """There is no right to give back."""
