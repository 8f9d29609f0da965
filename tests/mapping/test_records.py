from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from mapping import records

FACTS = [value for value in vars(records).values() if is_dataclass(value)]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.__name__)
def test_facts_are_frozen_and_built_by_name_only(fact):
    assert all(field.kw_only for field in fields(fact))
    assert fact.__dataclass_params__.frozen


def test_a_fact_cannot_be_changed():
    counts = records.Counts(courses=1)

    with pytest.raises(FrozenInstanceError):
        counts.courses = 2
