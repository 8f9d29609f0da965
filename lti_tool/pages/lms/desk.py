"""The LMSs of a district, at the desk."""

from flask import Blueprint

from lti_tool.guards import Visit
from lti_tool.pages.administrators import administrator, changing_administrator
from lti_tool.pages.lms.here import Here
from lti_tool.pages.lms.routes import Door, add_pages
from store.desk_roles import Right

blueprint = Blueprint("lms", __name__)


def _looking(launch_id: str) -> Here:
    return _here(administrator(launch_id))


def _changing(launch_id: str) -> Here:
    return _here(changing_administrator(launch_id, Right.CONNECT))


def _here(visit: Visit) -> Here:
    return Here(
        tenant=visit.record.tenant,
        base=f"/l/{visit.launch_id}/lms",
        by=visit.record.name or "An administrator",
        may_change=visit.may(Right.CONNECT),
        csrf=visit.csrf,
        visit=visit,
    )


add_pages(blueprint, Door(key="launch_id", looking=_looking, changing=_changing))
