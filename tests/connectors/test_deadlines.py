"""Deadlines break what they follow; one thread watches over all of them."""

import os
import socket
import threading
import warnings

from connectors import deadlines
from connectors.deadlines import Deadline


def watchers():
    return [one for one in threading.enumerate() if one.name == "deadlines"]


def test_a_connection_is_broken_when_its_time_is_over():
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.05) as bound:
        bound.follow(ours)

        assert theirs.recv(1) == b""
        assert bound.has_passed


def test_a_borrowed_connection_is_broken_too_and_stays_its_owners():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(0.05) as bound:
            bound.borrow(ours)
            assert theirs.recv(1) == b""

        assert ours.fileno() >= 0


def test_the_earlier_of_two_deadlines_ends_first():
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(60.0) as late, Deadline(0.05) as early:
        early.follow(ours)

        assert theirs.recv(1) == b""
        assert (early.has_passed, late.has_passed) == (True, False)


def test_what_is_over_in_time_is_left_whole():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Deadline(60.0) as bound:
            assert deadlines.current() is bound
            bound.follow(ours)
        ours.sendall(b"x")

        assert theirs.recv(1) == b"x"
    assert deadlines.current() is None


def test_one_thread_watches_over_all():
    with Deadline(60.0), Deadline(61.0), Deadline(0.01):
        assert len(watchers()) == 1


def test_the_watch_ends_by_itself_when_there_is_nothing_left():
    with Deadline(0.01):
        (watcher,) = watchers()

    watcher.join(10)

    assert not watcher.is_alive()


def test_a_forked_child_has_a_watch_of_its_own():
    with Deadline(60.0):
        with warnings.catch_warnings():
            # Newer Pythons warn of threads here; that the child has none of them is the point.
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if child == 0:
            ours, theirs = socket.socketpair()
            with Deadline(0.05) as bound:
                bound.follow(ours)
                theirs.settimeout(10)
                os._exit(theirs.recv(1) == b"" and 7)
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 7
