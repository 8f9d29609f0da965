"""What a line of the log carries."""

import json
import logging
import threading

import pytest

from bootstrap import logs


def record(message="done", **more):
    made = logging.LogRecord("workers", logging.INFO, "f", 1, message, (), None)
    logs._stamped(made)
    made.__dict__.update(more)
    return made


def test_a_line_of_json_names_the_work_it_was_written_in():
    with logs.about(run=3, course=None, phase="pull"), logs.about(item=9):
        line = json.loads(logs.JsonLines().format(record('a "quoted"\nword')))

    assert (line["run"], line["item"], line["phase"]) == (3, 9, "pull")
    assert line["message"] == 'a "quoted"\nword'
    assert "course" not in line


def test_a_line_of_json_stays_one_line_where_there_is_a_traceback():
    try:
        int("no number")
    except ValueError as error:
        made = record(exc_info=(ValueError, error, error.__traceback__))

    text = logs.JsonLines().format(made)

    assert "\n" not in text
    assert "ValueError" in json.loads(text)["error"]


def test_after_the_work_lines_name_it_no_longer():
    with logs.about(run=3):
        pass

    assert "run" not in json.loads(logs.JsonLines().format(record()))


def test_threads_do_not_mix_their_work():
    seen = {}

    def work(number, gate):
        with logs.about(run=number):
            gate.wait(5)
            seen[number] = json.loads(logs.JsonLines().format(record()))["run"]

    gate = threading.Barrier(2)
    threads = [threading.Thread(target=work, args=(number, gate)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == {1: 1, 2: 2}


@pytest.mark.parametrize(
    ("facts", "shown"), [({"run": 3, "course": 5}, " [run=3 course=5]"), ({}, "")]
)
def test_a_line_for_persons_has_the_work_in_brackets(facts, shown):
    with logs.about(**facts):
        line = logs.PlainLines().format(record())

    assert f"INFO workers{shown}: done" in line
