"""Two ways of doing the same, timed in turn on one core, the ratio last."""

import statistics
import time
from collections.abc import Callable

from threadpoolctl import threadpool_limits


def compare(unit: str, rounds: int, **ways: tuple[Callable[[], object], int]) -> None:
    """Time two callables in turn; print each median and, last, how often ours fits into theirs.

    Parameters
    ----------
    unit : str
        What is made: "clip", "frame".
    rounds : int
        Calls of each, after one to warm up.
    **ways : (callable, int)
        Ours, then theirs: a call and how many units it makes.
    """
    milliseconds = {way: [] for way in ways}
    with threadpool_limits(1):
        for turn in range(rounds + 1):
            for way, (call, units) in ways.items():
                start = time.perf_counter()
                call()
                if turn:
                    milliseconds[way].append(1e3 * (time.perf_counter() - start) / units)
    for way, found in milliseconds.items():
        print(f"{way:16} {statistics.median(found):8.3f} ms per {unit} (best {min(found):.3f})")
    ours, theirs = map(statistics.median, milliseconds.values())
    print(f"ratio: {' / '.join(reversed(ways))} = {theirs / ours:.1f}")
