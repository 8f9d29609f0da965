"""Things are found by what persons call them, in one tenant."""

import pytest

from store import naming
from store.frameworks import save_framework
from store.naming import Thing
from store.tables import competencies
from tests.store.places import FRAMEWORK, new_course, new_tenant


@pytest.fixture
def there(db, district, canvas):
    save_framework(db, district, FRAMEWORK)
    return new_course(db, district, canvas)


def ids(found):
    return [one.id for one in found]


def test_what_has_a_number_for_a_code_is_meant_by_it(db, district, there):
    number = there + 50
    db.execute(competencies.update().where(competencies.c.code == "N.1").values(code=str(number)))

    (found,) = naming.called(db, district, Thing.COMPETENCY, name=str(number))

    assert found.name.startswith(f"{number} ")
    assert naming.numbered(db, district, Thing.COMPETENCY, number=found.id) == found
    assert naming.called(db, district, Thing.COMPETENCY, name=str(found.id)) == (found,)


def test_a_text_is_found_in_names_whatever_its_letters(db, district, there):
    name = naming.numbered(db, district, Thing.COURSE, number=there).name

    assert ids(naming.holding(db, district, Thing.COURSE, text=name[1:4].upper())) == [there]
    assert naming.holding(db, district, Thing.COURSE, text="%") == ()
    assert ids(naming.called(db, district, Thing.COURSE, name=name.upper())) == [there]


def test_what_is_archived_is_named_and_not_looked_for(db, district, there):
    assert there
    db.execute(competencies.update().values(is_archived=True))

    assert naming.called(db, district, Thing.COMPETENCY, name="N.1")
    assert naming.holding(db, district, Thing.COMPETENCY, text="N.1") == ()


@pytest.mark.parametrize("thing", Thing)
def test_nothing_of_another_tenant_is_found(db, there, thing):
    other = new_tenant(db, "Other")
    for number in range(1, there + 3):
        assert naming.numbered(db, other, thing, number=number) is None
        assert naming.called(db, other, thing, name=str(number)) == ()
    assert naming.holding(db, other, thing, text="") == ()
