import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interchange.case import read_package
from interchange.errors import FileRefused
from interchange.imported import OpenLink
from mapping.progressions.graph import Links
from mapping.records import CompetencyLink, LinkKind

DOCUMENT = {"identifier": "doc", "title": "Mathematics", "creator": "A ministry"}


def item(identifier: str, **more):
    return {"identifier": identifier, "fullStatement": f"Can {identifier}", **more}


def child(origin: str, destination: str, kind: str = "isChildOf"):
    return {
        "associationType": kind,
        "originNodeURI": {"identifier": origin},
        "destinationNodeURI": {"identifier": destination},
    }


def package(items, associations=(), **document) -> bytes:
    return json.dumps(
        {
            "CFDocument": {**DOCUMENT, **document},
            "CFItems": list(items),
            "CFAssociations": list(associations),
        }
    ).encode()


def read(items, associations=(), **document):
    return read_package(package(items, associations, **document))


def refusal(data: bytes) -> str:
    with pytest.raises(FileRefused) as refused:
        read_package(data)
    return refused.value.problems[0]


def outcome(data: bytes):
    try:
        return read_package(data).framework.competencies, ()
    except FileRefused as refused:
        return (), refused.problems


def test_a_document_gives_the_framework_its_names():
    framework = read([item("a")], language="pt-BR", notes="By courtesy of A").framework

    assert (framework.identifier, framework.title) == ("doc", "Mathematics")
    assert (framework.creator, framework.language) == ("A ministry", "pt-BR")
    assert framework.attribution == "By courtesy of A"


def test_an_item_gives_a_competency_its_words_and_code():
    (found,) = read(
        [item("a", humanCodingScheme="N.1", abbreviatedStatement="I can count")]
    ).framework.competencies

    assert (found.code, found.statement, found.indicator) == ("N.1", "Can a", "I can count")


def test_a_framework_without_a_language_is_english():
    assert read([item("a")], language=None).framework.language == "en"


@pytest.mark.parametrize(
    ("licence", "read_as"),
    [
        ({"uri": "https://example.org/by", "title": "CC BY"}, "https://example.org/by"),
        ({"title": "CC BY"}, "CC BY"),
        ({}, ""),
        ("CC BY", "CC BY"),
        (None, ""),
    ],
)
def test_a_licence_is_read_as_link_or_text(licence, read_as):
    assert read([item("a")], licenseURI=licence).framework.licence == read_as


def test_parents_come_before_their_children_wherever_the_file_has_them():
    framework = read(
        [item("leaf"), item("branch"), item("root")],
        [child("leaf", "branch"), child("branch", "root"), child("root", "doc")],
    ).framework

    assert [c.identifier for c in framework.competencies] == ["root", "branch", "leaf"]
    assert [c.parent for c in framework.competencies] == [None, "root", "branch"]
    assert [c.position for c in framework.competencies] == [0, 1, 2]


def test_an_item_with_children_is_a_strand():
    framework = read([item("a"), item("b")], [child("b", "a")]).framework

    assert [c.is_strand for c in framework.competencies] == [True, False]


def test_an_item_that_says_so_is_a_strand():
    (found,) = read([item("a", CFItemType="Strand")]).framework.competencies

    assert found.is_strand


def test_codes_that_several_items_share_give_way_to_identifiers():
    framework = read(
        [
            item("a", humanCodingScheme="same"),
            item("b", humanCodingScheme="same"),
            item("c", humanCodingScheme="own"),
        ]
    ).framework

    assert [c.code for c in framework.competencies] == ["a", "b", "own"]


def test_a_code_that_is_another_items_identifier_gives_way():
    framework = read([item("a"), item("b", humanCodingScheme="a")]).framework

    assert [c.code for c in framework.competencies] == ["a", "b"]


def test_a_code_too_long_to_be_kept_gives_way_to_the_identifier():
    (found,) = read([item("a", humanCodingScheme="x" * 65)]).framework.competencies

    assert found.code == "a"


def test_an_item_without_a_statement_is_left_out_and_told():
    found = read([{"identifier": "a"}, item("b")])

    assert [c.identifier for c in found.framework.competencies] == ["b"]
    assert found.skipped[0].startswith("item 1: Object missing required field `fullStatement`")


def test_an_item_that_is_there_again_is_left_out_and_told():
    found = read([item("a"), {**item("a"), "fullStatement": "Another"}])

    assert [c.statement for c in found.framework.competencies] == ["Can a"]
    assert found.skipped == ("item 2: a is there again; the first one is kept.",)
    assert found.faults == found.skipped


def test_a_second_parent_is_left_out_and_told():
    found = read([item("a"), item("b"), item("c")], [child("c", "a"), child("c", "b")])

    assert [c.parent for c in found.framework.competencies] == [None, "a", None]
    assert found.skipped == ("c isChildOf b: it has a parent already.",)


def test_associations_of_another_kind_are_left_out_and_told():
    found = read([item("a"), item("b")], [child("a", "b", "isRelatedTo")])

    assert found.skipped == ("a isRelatedTo b: links of this kind are not kept.",)


@pytest.mark.parametrize("kind", LinkKind)
def test_links_between_items_are_kept(kind):
    found = read([item("a"), item("b")], [child("a", "b", kind.value)])

    assert found.framework.links == (CompetencyLink(origin="a", kind=kind, destination="b"),)
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("origin", "destination", "reason"),
    [
        ("a", "doc", "one of them is the framework itself."),
        ("doc", "a", "one of them is the framework itself."),
        ("a", "a", "it points to itself."),
    ],
)
def test_a_link_that_joins_no_two_items_is_left_out_and_told(origin, destination, reason):
    found = read([item("a")], [child(origin, destination, "exactMatchOf")])

    assert found.framework.links == ()
    assert found.skipped == (f"{origin} exactMatchOf {destination}: {reason}",)


@pytest.mark.parametrize("kind", ["exactMatchOf", "isRelatedTo", "isChildOf"])
@pytest.mark.parametrize("pair", [("a", "elsewhere"), ("elsewhere", "a")])
def test_what_points_outside_is_an_open_link_whatever_its_kind(pair, kind):
    found = read([item("a")], [child(*pair, kind)] * (2 if kind == "isRelatedTo" else 1))

    assert found.unresolved == (OpenLink(origin=pair[0], kind=kind, destination=pair[1]),)
    assert found.faults == ()
    assert found.framework.competencies[0].parent is None


def test_an_association_that_is_there_twice_is_told_once():
    found = read([item("a")], [{**child("a", "far", "isRelatedTo"), "identifier": "x"}] * 2)

    assert len(found.unresolved) == 1
    assert found.skipped == ("a isRelatedTo far: it is there again.",)


def test_a_link_that_is_there_again_is_told():
    found = read([item("a"), item("b")], [child("a", "b", "precedes")] * 2)

    assert len(found.framework.links) == 1
    assert found.skipped == ("a precedes b: it is there again.",)


@pytest.mark.parametrize("kind", ["precedes", "replacedBy"])
def test_a_link_that_would_close_a_circle_is_left_out_and_told(kind):
    pairs = [("a", "b"), ("b", "c"), ("c", "a")]

    found = read(map(item, "abc"), [child(*pair, kind) for pair in pairs])

    assert [link.origin for link in found.framework.links] == ["a", "b"]
    assert found.skipped == (f"c {kind} a: it would close a circle.",)


def test_equivalents_both_ways_are_no_circle():
    pairs = [("a", "b"), ("b", "a")]

    found = read(map(item, "ab"), [child(*pair, "exactMatchOf") for pair in pairs])

    assert len(found.framework.links) == 2
    assert found.skipped == ()


def test_a_sequence_number_of_any_kind_is_no_hindrance():
    found = read([item("a"), item("b")], [{**child("b", "a"), "sequenceNumber": "1.2"}])

    assert found.framework.competencies[1].parent == "a"


def test_siblings_stand_by_their_sequence_numbers_whatever_they_are_written_as():
    numbers = {"a": "2", "b": 1, "c": None, "d": "x", "e": 1.5}
    links = [{**child(name, "doc"), "sequenceNumber": number} for name, number in numbers.items()]

    found = read(map(item, numbers), links).framework.competencies

    assert [one.identifier for one in found] == ["b", "e", "a", "c", "d"]


def test_nodes_that_are_bare_addresses_are_known_by_their_last_part():
    link = {
        "associationType": "isChildOf",
        "originNodeURI": "https://case.example/CFItems/b",
        "destinationNodeURI": {"uri": "https://case.example/CFItems/a/"},
    }

    assert read([item("a"), item("b")], [link]).framework.competencies[1].parent == "a"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_a_package_is_read_in_the_encodings_that_editors_save(encoding):
    text = package([item("a", humanCodingScheme="Ñ")]).decode()

    assert read_package(text.encode(encoding)).framework.competencies[0].code == "Ñ"


def test_fields_besides_the_standard_and_addresses_as_text_do_no_harm():
    strange = item("a", educationalLevel="06", CFDocumentURI="http://x/doc", language="en")

    assert read([strange], CFPackageURI="http://x/p", creator=None).skipped == ()


def test_rubrics_are_told_as_not_kept():
    data = json.loads(package([item("a")])) | {"CFRubrics": [{"identifier": "r"}]}

    assert read_package(json.dumps(data).encode()).skipped == ("rubric 1: rubrics are not kept.",)


def test_a_code_that_gives_way_is_told():
    found = read([item("a", humanCodingScheme="x"), item("b", humanCodingScheme="x")])

    assert found.warnings[0] == "item 1: the code 'x' is used 2 times; a is its code now."


def test_an_association_of_no_known_shape_is_left_out_and_told():
    found = read([item("a")], ["nonsense"])

    assert found.skipped[0].startswith("association 1:")


def test_a_circle_of_parents_is_opened_and_told_or_refused_as_a_whole():
    found = read([item("a"), item("b"), item("c")], [child(*p) for p in ("ab", "bc", "ca")])

    assert [c.parent for c in found.framework.competencies] == [None, "a", "c"]
    with pytest.raises(FileRefused, match="a is among its own ancestors"):
        found.whole()


def test_a_package_without_a_usable_item_is_refused_with_what_was_skipped():
    with pytest.raises(FileRefused) as refused:
        read_package(package([{}]))

    assert refused.value.problems[0] == "The CASE package holds no item that can be used."
    assert refused.value.problems[1].startswith("item 1:")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not JSON",
        b"[]",
        b"{}",
        b'{"CFDocument": {"identifier": "", "title": "t"}, "CFItems": []}',
        b'{"CFDocument": {"identifier": "d", "title": "a\\u0000b"}, "CFItems": []}',
        b'{"CFDocument": {"identifier": "d", "title": "t"}, "CFItems": ' + b"[" * 100_000,
        b"\xff\xfe",
    ],
)
def test_what_is_no_package_is_refused(data):
    assert refusal(data).startswith("This is not a CASE package:")


_names = st.sampled_from("abcdefgh")
_items = st.lists(
    st.fixed_dictionaries(
        {"identifier": _names, "fullStatement": st.just("Can")},
        optional={"humanCodingScheme": st.one_of(_names, st.none(), st.just(""))},
    ),
    max_size=8,
)
_links = st.lists(st.builds(child, _names, st.one_of(_names, st.just("doc"))), max_size=12)


@given(_items, _links)
def test_whatever_is_read_is_a_forest_with_parents_first_and_codes_that_tell_apart(items, links):
    found, problems = outcome(package(items, links))

    names = [competency.identifier for competency in found]
    assert bool(found) != bool(problems)
    assert all(c.parent is None or c.parent in names[: c.position] for c in found)
    assert len({c.code for c in found}) == len(found)
    assert problems or set(names) == {one["identifier"] for one in items}


_kinds = st.sampled_from([*(kind.value for kind in LinkKind), "isRelatedTo"])


@given(st.lists(st.builds(child, _names, _names, _kinds), max_size=15))
def test_every_link_is_kept_or_told_and_those_kept_form_no_circle(links):
    found = read(map(item, "abcdef"), links)

    kept = found.framework.links
    assert len(kept) + len(found.skipped) + len(found.unresolved) == len(links)
    Links.of((ord(link.origin), link.kind, ord(link.destination)) for link in kept)


_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["CFDocument", "CFItems", "CFAssociations", "identifier", "title", "fullStatement"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)


@given(_json)
def test_any_json_is_read_or_refused(value):
    found, problems = outcome(json.dumps(value).encode())

    assert bool(found) != bool(problems)
