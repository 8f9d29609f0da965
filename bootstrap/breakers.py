"""Which LMSs are left alone for the moment, by the names that people know them by."""

from collections.abc import Mapping

from bootstrap.container import Container
from connectors.breakers import left_alone
from store import registrations, tenants
from store.session import reading


def breakers(container: Container) -> Mapping[tuple[str, str], bool]:
    """Whether each platform is left alone, by its district's name and its own."""
    with reading(container.engine) as connection:
        known = registrations.platforms(connection)
        names = {one.id: one.name for one in tenants.all_tenants(connection)}
    resting = left_alone(container.redis, [one.id for one in known])
    return {(names[one.tenant], one.name): one.id in resting for one in known}
