import tracemalloc

import pytest
from werkzeug.wrappers import Response

from connectors.errors import GiveUp, RetryLater, Unauthorized
from connectors.http import HttpClient
from connectors.platform import PlatformKind, open_client
from connectors.rosters import MEMBERSHIP_READ, Rosters, full_role
from tests.connectors.doubles import LOOPBACK, access, services
from tests.connectors.serving import ScriptedLms, answer_json, serving
from tests.contracts.subjects import live_services, query, simulated_access

MEMBERS_TYPE = "application/vnd.ims.lti-nrps.v2.membershipcontainer+json"
LEARNER = "http://purl.imsglobal.org/vocab/lis/v2/membership#Learner"
INSTRUCTOR = "http://purl.imsglobal.org/vocab/lis/v2/membership#Instructor"
GRANT = {"access_token": "t0ken", "expires_in": 3600}


def rosters(lms, kind=PlatformKind.CANVAS):
    lms.on("POST", "/token", answer_json(GRANT))
    platform, given = access(lms.url, kind), services()
    return Rosters(open_client(platform, given), given.tokens, access=platform)


def page(*members, link=None, **headers):
    if link:
        headers["Link"] = f'<{link}>; rel="next"'
    return answer_json({"id": "x", "members": list(members)}, headers=headers)


def person(number, **facts):
    return {"user_id": f"u{number}", "roles": [LEARNER], **facts}


def test_n01_three_pages_are_read_with_every_letter_of_their_addresses(lms):
    lms.on("GET", "/CourseSection/2", page(person(1), link=f"{lms.url}/CourseSection/2b?Page=aB"))
    lms.on("GET", "/CourseSection/2b", page(person(2), link=f"{lms.url}/CourseSection/2c?Page=Cd"))
    lms.on("GET", "/CourseSection/2c", page(person(3)))

    found = list(rosters(lms).members(f"{lms.url}/CourseSection/2"))

    assert [one.user_id for one in found] == ["u1", "u2", "u3"]
    assert lms.to("/CourseSection/2b")[0].query == {"Page": ["aB"]}


def test_n03_parameters_are_merged_with_those_that_the_address_has(lms):
    lms.on("GET", "/members", page())

    list(
        rosters(lms).members(
            f"{lms.url}/members?type=1&type=2&q=a%20b",
            role=LEARNER,
            resource_link="link & 1",
            page_size=20,
        )
    )

    assert lms.to("/members")[0].query == {
        "type": ["1", "2"],
        "q": ["a b"],
        "role": [LEARNER],
        "rlid": ["link & 1"],
        "limit": ["20"],
    }


@pytest.mark.parametrize(
    ("kind", "query_sent"),
    [(PlatformKind.CANVAS, {"limit": ["50"]}), (PlatformKind.MOODLE, {})],
)
def test_a_page_has_the_size_that_suits_the_platform(lms, kind, query_sent):
    lms.on("GET", "/members", page())

    list(rosters(lms, kind).members(f"{lms.url}/members"))

    assert lms.to("/members")[0].query == query_sent


def test_o09_the_token_may_read_members_and_nothing_else(lms):
    lms.on("GET", "/members", page())

    list(rosters(lms).members(f"{lms.url}/members"))

    assert lms.to("/token")[0].form["scope"] == MEMBERSHIP_READ
    assert lms.to("/members")[0].headers["authorization"] == "Bearer t0ken"


def test_n05_a_member_of_whom_only_the_id_is_known_is_kept(lms):
    lms.on("GET", "/members", page({"user_id": "u1"}))

    [found] = rosters(lms).members(f"{lms.url}/members")

    assert (found.user_id, found.roles, found.is_active) == ("u1", (), True)
    assert (found.name, found.email, found.sourced_id) == (None, None, None)


def test_empty_texts_and_nulls_say_nothing(lms):
    empty = {"name": "", "email": " ", "lis_person_sourcedid": "", "picture": None, "roles": None}
    lms.on("GET", "/members", page({"user_id": "u1", "status": "", "message": None, **empty}))

    [found] = rosters(lms).members(f"{lms.url}/members")

    assert (found.name, found.email, found.sourced_id, found.picture) == (None,) * 4
    assert found.status == "Active"


def test_somebody_without_an_id_is_left_out_and_the_others_are_read(lms):
    lms.on("GET", "/members", page({"name": "Nobody"}, {"user_id": ""}, {"user_id": 7}))

    assert [one.user_id for one in rosters(lms).members(f"{lms.url}/members")] == ["7"]


@pytest.mark.parametrize(("status", "is_active"), [("Inactive", False), ("Active", True)])
def test_somebody_inactive_is_told_apart(lms, status, is_active):
    lms.on("GET", "/members", page(person(1, status=status)))

    [found] = rosters(lms).members(f"{lms.url}/members")

    assert (found.status, found.is_active) == (status, is_active)


def test_n13_the_id_of_lti_1_1_is_kept_beside_the_present_one(lms):
    lms.on("GET", "/members", page(person(1, lti11_legacy_user_id="old-1")))

    [found] = rosters(lms).members(f"{lms.url}/members")

    assert (found.user_id, found.legacy_user_id) == ("u1", "old-1")


@pytest.mark.parametrize("name", ["custom", "https://purl.imsglobal.org/spec/lti/claim/custom"])
def test_custom_parameters_of_a_link_come_with_its_members(lms, name):
    message = {"message_type": "LtiResourceLinkRequest", "locale": "en", name: {"a": "1"}}
    lms.on("GET", "/members", page(person(1, message=[message])))

    [found] = rosters(lms).members(f"{lms.url}/members", resource_link="l1")

    assert found.custom == {"a": "1"}
    assert found.messages == (message,)


def test_a_message_that_is_not_in_a_list_is_read_too(lms):
    lms.on("GET", "/members", page(person(1, message={"custom": {"a": "1"}})))

    [found] = rosters(lms).members(f"{lms.url}/members", resource_link="l1")

    assert found.custom == {"a": "1"}


@pytest.mark.parametrize(
    ("role", "full"),
    [
        ("Learner", LEARNER),
        ("Instructor", INSTRUCTOR),
        (LEARNER, LEARNER),
        ("Wizard", "Wizard"),
        ("learner", "learner"),
    ],
)
def test_short_words_of_roles_become_full_ones_and_unknown_words_stay(role, full):
    assert full_role(role) == full


def test_roles_are_kept_as_they_were_sent_too(lms):
    lms.on("GET", "/members", page({"user_id": "u1", "roles": ["Learner", LEARNER, ""]}))

    [found] = rosters(lms).members(f"{lms.url}/members")

    assert found.sent_roles == ("Learner", LEARNER)
    assert found.roles == (LEARNER,)


def test_a_role_is_asked_for_even_where_the_platform_forgets_the_filter(lms):
    lms.on("GET", "/members", page(person(1), {"user_id": "u2", "roles": ["Instructor"]}))

    found = rosters(lms, PlatformKind.MOODLE).members(f"{lms.url}/members", role=INSTRUCTOR)

    assert [one.user_id for one in found] == ["u2"]


def test_somebody_who_moves_to_the_next_page_while_it_is_read_comes_once(lms):
    lms.on("GET", "/members", page(person(1), person(2), link=f"{lms.url}/more"))
    lms.on("GET", "/more", page(person(2), person(3)))

    found = rosters(lms).members(f"{lms.url}/members")

    assert [one.user_id for one in found] == ["u1", "u2", "u3"]


def test_n15_exactly_one_media_type_is_asked_for_and_any_is_read(lms):
    lms.on("GET", "/members", page(person(1)))

    assert len(list(rosters(lms).members(f"{lms.url}/members"))) == 1
    assert lms.to("/members")[0].headers["accept"] == MEMBERS_TYPE


def test_n09_a_page_is_asked_for_only_when_it_is_needed(lms):
    lms.on("GET", "/members", page(person(1), link=f"{lms.url}/more"))
    lms.on("GET", "/more", page(person(2)))
    found = rosters(lms).members(f"{lms.url}/members")

    next(found)

    assert lms.to("/more") == []


def test_n09_a_large_roster_is_not_held_in_memory(lms):
    def answer(seen):
        start = int(seen.query.get("from", ["0"])[0])
        people = [person(start + one, name="x" * 4000) for one in range(500)]
        more = f"{lms.url}/members?from={start + 500}" if start < 9_500 else None
        return page(*people, link=more)

    lms.on("GET", "/members", answer)

    tracemalloc.start()
    count = sum(1 for _ in rosters(lms).members(f"{lms.url}/members"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 10_000
    # The names alone are 40 MB; the server in this process needs 10 MB for itself.
    assert peak < 20 << 20


def test_n11_no_token_is_asked_for_or_sent_for_an_address_on_another_site(lms):
    elsewhere = ScriptedLms()
    with serving(elsewhere) as url, pytest.raises(GiveUp) as caught:
        list(rosters(lms).members(f"{url}/members"))

    assert caught.value.cause == "foreign_address"
    assert (lms.seen, elsewhere.seen) == ([], [])


def test_g05_a_next_page_on_another_site_is_not_asked_for(lms):
    elsewhere = ScriptedLms()
    with serving(elsewhere) as url:
        lms.on("GET", "/members", page(person(1), link=f"{url}/more"))
        found = rosters(lms).members(f"{lms.url}/members")
        with pytest.raises(GiveUp) as caught:
            list(found)

    assert caught.value.cause == "foreign_address"
    assert elsewhere.seen == []


def test_pages_that_go_in_circles_are_left(lms):
    lms.on("GET", "/members", page(person(1), link=f"{lms.url}/more"))
    lms.on("GET", "/more", page(person(2), link=f"{lms.url}/more"))

    with pytest.raises(GiveUp) as caught:
        list(rosters(lms).members(f"{lms.url}/members"))

    assert caught.value.cause == "paging_loop"


def test_a_course_without_the_service_is_told(lms):
    with pytest.raises(GiveUp) as caught:
        list(rosters(lms).members(""))

    assert caught.value.cause == "no_service"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Response(b"", status=401), Unauthorized),
        (Response(b"<html>", status=200), RetryLater),
        (answer_json([]), GiveUp),
        (answer_json({"members": {}}), GiveUp),
        (Response(b"", status=502), RetryLater),
    ],
)
def test_a_roster_that_cannot_be_read_raises_what_to_do(lms, answer, kind):
    lms.on("GET", "/members", answer)

    with pytest.raises(kind):
        list(rosters(lms).members(f"{lms.url}/members"))


@pytest.fixture(params=[PlatformKind.CANVAS, PlatformKind.MOODLE], ids=lambda kind: kind.value)
def simulator(request):
    subject = request.getfixturevalue(request.param.value)
    platform = simulated_access(subject.state, request.param, subject.url)
    given = live_services()
    opened = Rosters(open_client(platform, given), given.tokens, access=platform)
    return subject, opened, _memberships(request.param, subject)


def _memberships(kind, subject):
    if kind is PlatformKind.CANVAS:
        return f"{subject.url}/api/lti/courses/{subject.course}/names_and_roles"
    path = f"/mod/lti/services.php/CourseSection/{subject.course}/bindings/1/memberships"
    return subject.url + path


def test_everybody_of_a_simulated_course_is_read(simulator):
    subject, opened, url = simulator
    sql = (
        "SELECT COUNT(DISTINCT person_id) FROM enrolments WHERE course_id = ? AND state = 'active'"
    )
    [(expected,)] = query(subject.state, sql, int(subject.course))

    found = [one for one in opened.members(url) if one.is_active]

    assert len(found) == expected > 1
    assert {role for one in found for role in one.roles} >= {LEARNER, INSTRUCTOR}


def test_small_pages_of_a_simulated_course_hold_the_same_people(simulator):
    _, opened, url = simulator
    whole = {one.user_id for one in opened.members(url)}

    assert {one.user_id for one in opened.members(url, page_size=3)} == whole


def test_learners_of_a_simulated_course_can_be_asked_for(simulator):
    _, opened, url = simulator

    found = list(opened.members(url, role=LEARNER))

    assert found
    assert all(LEARNER in one.roles for one in found)


def test_a_client_for_another_site_asks_nothing(lms):
    given = services()
    http = HttpClient(
        platform="Northside",
        addresses=("https://elsewhere.example",),
        limiter=given.limiter,
        public_url="http://localhost:8100",
        private_networks=LOOPBACK,
    )

    with pytest.raises(GiveUp):
        list(Rosters(http, given.tokens, access=access(lms.url)).members(f"{lms.url}/members"))

    assert lms.seen == []
