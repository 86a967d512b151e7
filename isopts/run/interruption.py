"""Stop a long job at a safe point when Ctrl-C or SIGTERM arrives."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType


@dataclass
class StopRequest:
    """signal_number: of the first signal that asked to stop; None while none did."""

    signal_number: int | None = None

    @property
    def requested(self) -> bool:
        """Whether to stop at the next safe point."""
        return self.signal_number is not None

    @property
    def exit_code(self) -> int:
        """130 after Ctrl-C, 143 after SIGTERM, as shells have it; 0 when nothing was requested."""
        return 128 + self.signal_number if self.signal_number is not None else 0


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM into a flag that the job polls; the second acts as usual.

    Only Python's main thread receives signals; in any other the flag stays down.
    """
    stop = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    previous = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in previous.items():
            signal.signal(number, handler)

    def request(number: int, _frame: FrameType | None) -> None:
        stop.signal_number = number
        restore()

    for number in previous:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        restore()
