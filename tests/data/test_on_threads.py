import threading
import time

import pytest

from isopts.data.on_threads import map_on_threads


def test_results_come_in_order_from_several_threads():
    """The first item waits for the last one, which only another thread can begin."""
    done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert done.wait(10)
        elif item == 3:
            done.set()
        return item * item

    assert list(map_on_threads(work, range(4), 2)) == [0, 1, 4, 9]
    assert list(map_on_threads(work, [], 2)) == []


def test_what_has_not_begun_when_one_fails_is_dropped():
    begun = []

    def work(item: int) -> None:
        begun.append(item)
        if item == 1:
            raise ValueError("one")
        time.sleep(0.01)  # twenty seconds for all of them: long enough for the failure to be seen before

    with pytest.raises(ValueError, match="one"):
        list(map_on_threads(work, range(2_000), 1))
    assert len(begun) < 2_000


def test_no_more_threads_than_memory_is_for():
    """Of 64 threads four work: each waits for the others, a fifth would break the barrier's count."""
    barrier, names = threading.Barrier(4), set()

    def work(_: int) -> None:
        barrier.wait(10)
        names.add(threading.current_thread().name)

    list(map_on_threads(work, range(16), 64))
    assert len(names) == 4
