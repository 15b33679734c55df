"""Files: written whole or not at all, and read with one line on what is wrong with them."""

import json
import os
import platform
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

PACKAGE = Path(__file__).parents[1]
HOST = re.sub(r"[^\w-]", "-", platform.node())[:40] or "here"
ABANDONED = 24 * 3600.0
"""Age at which a temporary file has no writer any more, whatever its name says [s]."""


def write_text(out: Path, text: str) -> None:
    """Write a text file by temporary file and rename."""
    write_bytes(out, (text if text.endswith("\n") else text + "\n").encode())


def write_bytes(out: Path, content: bytes) -> None:
    """Write a file by temporary file and rename."""
    with replacing(out) as temporary:
        temporary.write_bytes(content)


def write_tensors(out: Path, tensors: dict[str, "np.ndarray"], about: dict[str, str]) -> None:
    """Write a safetensors file, the same bytes for the same tensors and metadata.

    Parameters
    ----------
    out : Path
    tensors : dict of str to array
    about : dict of str to str
        Metadata; written in the order of its names, which the library leaves to chance.
    """
    from safetensors.numpy import save

    whole = save(tensors, about)
    size = int.from_bytes(whole[:8], "little")
    header = json.dumps(json.loads(whole[8 : 8 + size]), sort_keys=True, separators=(",", ":"))
    text = header.encode()
    text += b" " * (-len(text) % 8)
    write_bytes(out, len(text).to_bytes(8, "little") + text + whole[8 + size :])


@contextmanager
def open_tensors(path: Path, again: str | None = None) -> Iterator[Any]:
    """Open a safetensors file with torch's tensors.

    Raises
    ------
    OSError
        If it isn't there or can't be read.
    ValueError
        If it is cut or broken.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except SafetensorError as error:
        raise ValueError(
            f"{path}: cut or broken safetensors: {error}. {again or anew(path)}"
        ) from None


@contextmanager
def replacing(out: Path) -> Iterator[Path]:
    """Give a temporary path beside a file, which replaces the file when all went well.

    Otherwise nothing stays of it, nor of what writers of the same file left that were killed.

    Raises
    ------
    OSError
        If it can't be written; what was there before is still there.
    """
    out = Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    clear(out)
    temporary = out.with_name(f".{out.name}.{HOST}.{os.getpid()}")
    try:
        yield temporary
        temporary.replace(out)
    except OSError as error:
        # a write that fails names no file by itself
        if error.errno is None or error.filename not in (None, *_names(temporary), *_names(out)):
            raise
        raise OSError(error.errno, error.strerror, str(out)) from None
    finally:
        temporary.unlink(missing_ok=True)


def _names(path: Path) -> tuple[object, ...]:
    return path, str(path)


def clear(out: Path) -> None:
    """Remove what killed writers of a file left beside it.

    A temporary file goes if its process is none of this host any more, or if it is a day old; that
    of a living writer, or of a recent one on another host, stays.
    """
    pattern = re.compile(rf"\.{re.escape(out.name)}\.(?:(?P<host>[\w-]+)\.)?(?P<pid>\d+)")
    for file in out.parent.glob(".*"):
        found = pattern.fullmatch(file.name)
        if found and file.is_file() and _abandoned(file, found["host"], int(found["pid"])):
            with suppress(PermissionError):  # another user's is in nobody's way
                file.unlink(missing_ok=True)


def _abandoned(file: Path, host: str | None, process: int) -> bool:
    if host == HOST and process == os.getpid():
        return False
    if host == HOST and not _alive(process):
        return True
    try:
        return time.time() - file.stat().st_mtime > ABANDONED
    except FileNotFoundError:  # its writer has just finished
        return False


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def read_text(path: Path, again: str | None = None) -> str:
    """Text of a file.

    Parameters
    ----------
    path : Path
    again : str, optional
        Hint that says how to get the file anew; :func:`anew` by default.

    Raises
    ------
    OSError
        If it isn't there or can't be read.
    ValueError
        If it is no text.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: no text: byte {error.start} is {error.object[error.start]:#04x}."
            f" {again or anew(path)}"
        ) from None


def read_json(path: Path, again: str | None = None) -> Any:
    """Content of a JSON file; otherwise as :func:`read_text`."""
    return _parsed(path, again, "JSON", json.loads, (ValueError, RecursionError))


def read_yaml(path: Path, again: str | None = None) -> Any:
    """Content of a YAML file of ours; otherwise as :func:`read_text`."""
    import yaml

    return _parsed(path, again, "YAML", yaml.safe_load, (yaml.YAMLError, RecursionError))


def read_table(
    path: Path, columns: Collection[str] = (), again: str | None = None, **options: Any
) -> "pd.DataFrame":
    """Table of a CSV file.

    Parameters
    ----------
    path : Path
    columns : collection of str
        Those that it has to have.
    again : str, optional
        As for :func:`read_text`.
    **options
        Of ``pandas.read_csv``.

    Raises
    ------
    OSError, ValueError
        As for :func:`read_text`, or if a column is missing.
    """
    import io

    import pandas as pd

    def table(text: str) -> "pd.DataFrame":
        return pd.read_csv(io.StringIO(text), **options)

    frame = _parsed(path, again, "CSV", table, (ValueError, pd.errors.ParserError))
    missing = [name for name in columns if name not in frame]
    if missing or not len(frame):
        lack = f"has no column {', '.join(missing)}" if missing else "has no lines"
        raise ValueError(f"{path}: {lack}. {again or anew(path)}")
    return frame


def _parsed(
    path: Path, again: str | None, form: str, parse: Callable[[str], Any], wrong: tuple
) -> Any:
    text = read_text(path, again)
    if not text.strip():
        raise ValueError(f"{path}: empty, expected {form}. {again or anew(path)}")
    try:
        return parse(text)
    except wrong as error:
        why = " ".join(str(error).split())
        raise ValueError(f"{path}: cut or broken {form}: {why}. {again or anew(path)}") from None


def anew(path: Path) -> str:
    """Hint how to get a file again: it ships with the package, or a rule writes it."""
    whole = Path(path).absolute()
    if whole.is_relative_to(PACKAGE):
        return f"Hint: it ships with the package; get it again: git checkout -- {path}"
    if "results" in whole.parts[:-1]:
        last = len(whole.parts) - 1 - whole.parts[::-1].index("results")
        target = Path(*whole.parts[last:])
        return f"Hint: write it again: snakemake --force {target} --cores 1"
    return "Hint: run the command again that writes it."
