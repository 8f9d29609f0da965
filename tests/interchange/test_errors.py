from interchange.errors import FileRefused


def test_a_refusal_tells_every_problem_of_a_short_list():
    refused = FileRefused(["first", "second"])

    assert str(refused) == "first\nsecond"


def test_a_refusal_shows_ten_problems_and_how_many_more_there_are():
    refused = FileRefused([f"problem {n}" for n in range(12)])

    assert str(refused).splitlines()[-2:] == ["problem 9", "and 2 more."]
    assert len(refused.problems) == 12
