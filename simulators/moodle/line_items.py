"""AGS line items and results.

Source: moodle.md, sections 3.5 and 3.7; passback.md for line items with maximum 0.
"""

import sqlite3
from datetime import UTC, datetime
from typing import Any

from flask import Response, request

from simulators.faults import is_struck
from simulators.moodle.claims import services_url
from simulators.moodle.faults import doubled
from simulators.moodle.report import number
from simulators.moodle.services import (
    LINE_ITEM,
    LINE_ITEMS,
    RESULTS,
    Place,
    Refused,
    as_number,
    bad_gateway,
    json_answer,
    page_not_found,
    sent_object,
    service,
)
from simulators.moodle.site import Site

LABEL_LENGTH = 255
_LINK_HEADER = "<{url}?type_id={type}&amp;limit={limit}&amp;from={start}>; rel=\u201c{rel}\u201d"


def item_url(here: Site, course: int, item: int) -> str:
    """A line item's address, which is its id on the wire."""
    return f"{services_url(here)}/{course}/lineitems/{item}/lineitem?type_id={here.type_id}"


def find_item(here: Site, place: Place) -> sqlite3.Row:
    """The line item of a path.

    Raises:
        Refused: 404, it is not there, or is not the tool's.
    """
    row = here.row(
        "SELECT * FROM line_items WHERE id = ? AND course_id = ? AND client_id = ?",
        *(place.item, place.course, here.client_id),
    )
    if row is None:
        raise Refused(404, "Not Found: Line item does not exist")
    return row


@service("GET", "line items", media=LINE_ITEMS, scope="line item read")
def list_items(here: Site, place: Place) -> Response:
    """All line items of the tool in the course, filtered; paged only when ``limit`` is sent."""
    rows = here.rows(
        "SELECT * FROM line_items WHERE course_id = ? AND client_id = ? ORDER BY id",
        *(place.course, here.client_id),
    )
    for name in ("resource_id", "tag", "resource_link_id"):
        wanted = request.args.get(name)
        rows = [row for row in rows if wanted is None or row[name] == wanted]
    limit = request.args.get("limit", 0, type=int)
    start = request.args.get("from", 0, type=int)
    if not limit:
        return json_answer(doubled([_described(here, row) for row in rows]), LINE_ITEMS)
    page = doubled(rows[start : start + limit])
    answer = json_answer([_described(here, row) for row in page], LINE_ITEMS)
    answer.headers["Link"] = _links(here, place.course, (limit, start, len(rows)))
    return answer


def _links(here: Site, course: int, paging: tuple[int, int, int]) -> str:
    """Moodle's Link header: curly quotes in UTF-8 and ``&amp;``, which no parser takes."""
    limit, start, count = paging
    starts = {"first": 0}
    if start + limit < count:
        starts["next"] = start + limit
    if is_struck("page_loop"):
        starts["next"] = start
    starts["last"] = count - count % limit
    url = f"{services_url(here)}/{course}/lineitems"
    links = (
        _LINK_HEADER.format(url=url, type=here.type_id, limit=limit, start=at, rel=rel)
        for rel, at in starts.items()
    )
    return ", ".join(links).encode().decode("latin-1")


def _described(here: Site, row: sqlite3.Row) -> dict[str, Any]:
    described = {
        "id": item_url(here, row["course_id"], row["id"]),
        "label": row["label"],
        "scoreMaximum": number(row["maximum"]),
        "resourceId": row["resource_id"],
        "tag": row["tag"],
    }
    if row["resource_link_id"]:
        described["resourceLinkId"] = row["resource_link_id"]
        described["ltiLinkId"] = row["resource_link_id"]
    return described


@service("POST", "line items", media=LINE_ITEM, scope="line item")
def create_item(here: Site, place: Place) -> Response:
    """A new column; nothing keeps the same resourceId from being used twice."""
    sent = sent_object()
    label, maximum = _label_and_maximum(sent)
    if len(label) > LABEL_LENGTH:
        return bad_gateway()
    link = str(sent.get("resourceLinkId", ""))
    if link and link != str(place.course):
        raise Refused(403, "Forbidden: resourceLinkId is not valid")
    item = next_item(here)
    here.write(
        "INSERT INTO line_items (id, course_id, label, maximum, resource_id, tag, "
        "resource_link_id, client_id, created_at, updated_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(item, place.course, label, maximum),
        *(str(sent.get("resourceId", "")), str(sent.get("tag", "")), link),
        *(here.client_id, here.now, here.now),
    )
    return json_answer(sent | {"id": item_url(here, place.course, item)}, LINE_ITEM, status=201)


def next_item(here: Site) -> int:
    """Line items are grade items: they share their numbers with columns and totals."""
    if not here.connection.in_transaction:
        # Two requests at once must not be given the same number.
        here.connection.execute("BEGIN IMMEDIATE")
    row = here.row(
        "SELECT max(i) + 1 AS next FROM (SELECT max(id) AS i FROM assignments "
        "UNION SELECT max(item_id) FROM categories "
        "UNION SELECT seq FROM sqlite_sequence WHERE name = 'line_items' "
        "UNION SELECT max(id) FROM line_items)"
    )
    return int(row["next"]) if row else 1


def _label_and_maximum(sent: dict[str, Any]) -> tuple[str, float]:
    label, maximum = sent.get("label"), sent.get("scoreMaximum")
    number_ = as_number(maximum)
    if not isinstance(label, str) or number_ is None:
        raise Refused(400, "Bad Request: label and scoreMaximum are needed")
    return label, round(number_, 5)


@service("GET", "line item", media=LINE_ITEM, scope="line item read", takes_any=True)
def show_item(here: Site, place: Place) -> Response:
    """One line item."""
    return json_answer(_described(here, find_item(here, place)), LINE_ITEM)


@service("PUT", "line item", media=LINE_ITEM, scope="line item")
def replace_item(here: Site, place: Place) -> Response:
    """Replace a line item; another maximum rescales grades, and writes 0 where there was none."""
    row = find_item(here, place)
    sent = sent_object()
    label, maximum = _label_and_maximum(sent)
    if len(label) > LABEL_LENGTH:
        return bad_gateway()
    here.write(
        "UPDATE line_items SET label = ?, maximum = ?, resource_id = ?, tag = ?, updated_at = ? "
        "WHERE id = ?",
        *(label, maximum, str(sent.get("resourceId", "")), str(sent.get("tag", ""))),
        *(here.now, row["id"]),
    )
    if maximum != row["maximum"]:
        _rescale(here, row, maximum)
    return json_answer(_described(here, find_item(here, place)), LINE_ITEM)


def _rescale(here: Site, row: sqlite3.Row, maximum: float) -> None:
    factor = maximum / row["maximum"] if row["maximum"] else 0.0
    here.write(
        "UPDATE ags_scores SET score = round(coalesce(score, 0) * ?, 5), timestamp = ? "
        "WHERE line_item_id = ?",
        *(factor, here.now, row["id"]),
    )
    here.write(
        "INSERT OR IGNORE INTO ags_scores (line_item_id, user_id, score, timestamp) "
        "SELECT ?, person_id, 0, ? FROM enrolments WHERE course_id = ? AND role = 'learner'",
        *(row["id"], here.now, row["course_id"]),
    )


@service("DELETE", "line item", media=LINE_ITEM, scope="line item", takes_any=True)
def delete_item(here: Site, place: Place) -> Response:
    """Delete a line item with its grades."""
    row = find_item(here, place)
    here.write("DELETE FROM line_items WHERE id = ?", row["id"])
    here.write("DELETE FROM ags_scores WHERE line_item_id = ?", row["id"])
    return Response(status=204)


@service("GET", "results", media=RESULTS, scope="result", takes_any=True)
def results(here: Site, place: Place) -> Response:
    """What the gradebook holds now, in no order; ``limit`` with ``type_id`` is an error page."""
    if "limit" in request.args and "type_id" in request.args:
        return page_not_found()
    row = find_item(here, place)
    user = request.args.get("user_id", type=int)
    rows = here.rows(
        "SELECT * FROM ags_scores WHERE line_item_id = ? AND (? IS NULL OR user_id = ?) "
        "ORDER BY (user_id * 7919) % 1009",
        *(row["id"], user, user),
    )
    return json_answer([_result(here, row, score) for score in rows], RESULTS)


def _result(here: Site, item: sqlite3.Row, score: sqlite3.Row) -> dict[str, Any]:
    path = f"{services_url(here)}/{item['course_id']}/lineitems/{item['id']}/lineitem"
    user = str(score["user_id"])
    result: dict[str, Any] = {
        "id": f"{path}/results?type_id={here.type_id}&user_id={user}",
        "userId": user,
    }
    if score["score"] is None:
        return result
    result["resultScore"] = number(score["score"])
    result["resultMaximum"] = number(item["maximum"])
    if score["comment"]:
        result["comment"] = score["comment"]
    result["scoreOf"] = item_url(here, item["course_id"], item["id"])
    result["timestamp"] = datetime.fromtimestamp(score["timestamp"], UTC).isoformat()
    return result
