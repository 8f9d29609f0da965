"""``waymark setup``: the way into an installation that nobody can log in to yet."""

import click

from lti_tool.cli_context import container_of_today, district_option, tenant_of
from lti_tool.launch.setup_links import make_setup_link
from store import tenants
from store.session import reading


@click.command()
@district_option
def setup(*, district: str | None) -> None:
    """Print an address with which LMSs are connected in the browser.

    Where there is no district yet, the address makes the first one. Later it is the way back in
    where no LMS can be opened any more.
    """
    with container_of_today() as container:
        with reading(container.engine) as connection:
            is_empty = not tenants.all_tenants(connection)
        tenant = None if is_empty and district is None else tenant_of(container, district)
        link = make_setup_link(container, tenant)
    click.echo("Open this address in a browser:")
    click.echo(f"  {link}")
    click.echo(
        "Whoever has it can connect an LMS to your district. It is good for 24 hours; give it to "
        "nobody who shall not do that."
    )
