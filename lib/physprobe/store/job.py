"""Job: what every stage does around its work - threads, work ahead, provenance."""

import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Executor

LIBRARIES = ("physprobe", "numpy", "scipy", "torch", "transformers", "zarr", "xarray")
Item = TypeVar("Item")
Result = TypeVar("Result")


def limit_threads(count: int) -> None:
    """Let BLAS, OpenMP and torch use so many threads; call before they are imported."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)
    # Threads that spin while they wait cost a busy machine more than they save: they sleep soon.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def draw_to_files() -> None:
    """Have matplotlib draw without a window; call before it is imported.

    A notebook hands its own backend on to all that it starts (MPLBACKEND), where matplotlib can't
    even be imported with it.
    """
    os.environ["MPLBACKEND"] = "agg"


@contextmanager
def at_once(pool: "Executor") -> Iterator["Executor"]:
    """Pool that drops what still waits when an error or a signal ends its user, and stops soon.

    Parameters
    ----------
    pool : Executor
        Of ``concurrent.futures``; by itself it would first work off all that was handed to it.
    """
    with pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Work done on each item, on the next one already while this one's result is used.

    Parameters
    ----------
    work : callable
        Done in a thread of its own; so it should spend its time outside the interpreter.
    items : iterable
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as worker:
        waiting = None
        for item in items:
            following = worker.submit(work, item)
            if waiting:
                yield waiting.result()
            waiting = following
        if waiting:
            yield waiting.result()


@dataclass(frozen=True)
class Job:
    """What the door knows of the job that runs, and stages don't ask for."""

    code: str = "by hand"
    """Fingerprint of the code that the rule passed on."""
    threads: int = 1
    """Threads of the linear algebra."""


_CURRENT: ContextVar[Job | None] = ContextVar("job", default=None)


def current() -> Job:
    """The job that runs."""
    return _CURRENT.get() or Job()


@contextmanager
def running(code: str = "by hand", threads: int = 1) -> Iterator[Job]:
    """Run a stage as this job."""
    before = _CURRENT.set(Job(code, threads))
    try:
        yield current()
    finally:
        _CURRENT.reset(before)


def provenance(inputs: Mapping[str, str], **more: object) -> dict:
    """What a result came from: the job's code, inputs, library versions.

    Parameters
    ----------
    inputs : mapping of str to str
        Name and digest of each input.
    **more
        Device, dtype, weights' hash and the like.
    """
    return {
        "code": current().code,
        "inputs": dict(inputs),
        "versions": {name: found for name in LIBRARIES if (found := _version(name))},
        "python": platform.python_version(),
        **more,
    }


def _version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None
