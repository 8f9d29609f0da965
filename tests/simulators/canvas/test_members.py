import uuid

ROLE = "http://purl.imsglobal.org/vocab/lis/v2/membership#"


def test_members_have_lti_ids_roles_and_status(lti):
    answer = lti("GET", "/names_and_roles")
    members = {row["name"]: row for row in answer.json["members"]}

    assert answer.content_type == ("application/vnd.ims.lti-nrps.v2.membershipcontainer+json")
    assert members["Tom Teacher"]["roles"] == [f"{ROLE}Instructor"]
    assert members["Gil Alves"]["roles"] == [f"{ROLE}Mentor"]
    assert members["Lou Costa"]["status"] == "Inactive"
    assert members["Lia Alves"]["lis_person_sourcedid"] == "S3"
    assert uuid.UUID(members["Lia Alves"]["user_id"]).version == 4


def test_a_page_never_has_more_than_fifty_members(lti, state):
    with state:
        for number in range(100, 170):
            state.execute(
                "INSERT INTO people VALUES (?, 'A', 'B', 'e', ?, 'learner', ?)",
                (number, f"X{number}", f"{number:040x}"),
            )
            state.execute(
                "INSERT INTO enrolments (course_id, person_id, role, created_at) "
                "VALUES (101, ?, 'learner', 0)",
                (number,),
            )

    first = lti("GET", "/names_and_roles?limit=100")
    second = lti("GET", "/names_and_roles?page=2")

    assert len(first.json["members"]) == 50
    assert 'rel="next"' in first.headers["Link"]
    assert len(second.json["members"]) == 25


def test_a_role_narrows_and_a_nonsense_role_gives_nobody(lti):
    query = {"role": f"{ROLE}Learner"}

    learners = lti("GET", "/names_and_roles", query_string=query).json["members"]
    nobody = lti("GET", "/names_and_roles?role=Wizard").json["members"]

    assert {row["name"] for row in learners} == {"Lia Alves", "Leo Brito", "Lou Costa"}
    assert nobody == []


def test_the_courses_own_link_is_a_filter_and_an_unknown_one_an_error(lti):
    context = lti("GET", "/names_and_roles").json["context"]

    assert lti("GET", f"/names_and_roles?rlid={context['id']}").status_code == 200
    assert lti("GET", "/names_and_roles?rlid=other").status_code == 400
