"""Pictures looked at on several threads: decoding and resampling do not hold Python's lock."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_threads(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """work(item) of all items, in their order. An exception ends it: what has not begun by then is dropped."""
    executor = ThreadPoolExecutor(threads, thread_name_prefix="isopts-pictures")
    try:
        yield from executor.map(work, items)
    finally:
        executor.shutdown(cancel_futures=True)
