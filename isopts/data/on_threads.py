"""Pictures looked at on several threads: decoding and resampling do not hold Python's lock."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_THREADS_MAX = 4  # each may hold a photograph as floats: 25 megapixels take 0.3 GB
Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_threads(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """work(item) of all items, in their order, on up to `threads` threads, four at most. An exception ends it: what has
    not begun by then is dropped."""
    executor = ThreadPoolExecutor(min(threads, _THREADS_MAX), thread_name_prefix="isopts-pictures")
    try:
        yield from executor.map(work, items)
    finally:
        executor.shutdown(cancel_futures=True)
