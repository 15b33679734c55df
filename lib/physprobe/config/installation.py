"""Installation: where this package lies, in a checkout or among those of an interpreter.

A wheel has what a checkout has around the package: the Snakefile and what it includes, configs,
profiles (``setup.py`` puts them there).
"""

import os
import sysconfig
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
LINK = Path(".snakemake/physprobe")
"""Of an installed package, in a working directory."""


def repository(*parts: str) -> Path:
    """A file or folder of the repository: a wheel's copy, or that of the checkout.

    Parameters
    ----------
    *parts : str
        Its path there, such as ``config.yaml``.
    """
    copy = PACKAGE / "repository"
    return (copy if copy.is_dir() else PACKAGE.parents[1]).joinpath(*parts)


def packaged(name: str | Path) -> str:
    """Path of a file of this package as rules name it: from the working directory.

    A clone elsewhere names the same inputs, so nothing reruns there; and ``--directory`` and
    ``--snakefile`` find them from wherever they are. Those of a package that is installed are named
    by its link, so that nothing reruns because another environment has it.

    Parameters
    ----------
    name : str or Path
        Within the package, for instance ``report/physprobe.mplstyle``.
    """
    inside = (PACKAGE / name).relative_to(PACKAGE)
    if _linked():
        return str(LINK / inside)
    return os.path.relpath(PACKAGE.resolve() / inside)


def installed() -> bool:
    """Whether this package lies among those of the interpreter, and not in a checkout."""
    return str(PACKAGE.parent) in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}


def link() -> None:
    """Give this package one path in the working directory, wherever it is installed."""
    if _linked():
        return
    LINK.parent.mkdir(exist_ok=True)
    new = LINK.with_name(f"{LINK.name}.{os.getpid()}")
    new.symlink_to(PACKAGE.resolve())
    new.replace(LINK)


def _linked() -> bool:
    return LINK.is_symlink() and LINK.resolve() == PACKAGE.resolve()
