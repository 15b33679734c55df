"""Code: a function of the user's own, where it is, what it imports, and how it is run."""

import ast
import difflib
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

NAME = re.compile(r"(?P<where>.+):(?P<name>[A-Za-z_]\w*)")
DOTTED = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


class Place(NamedTuple):
    """Where a function is."""

    root: Path
    """Folder that its imports are looked up in first."""
    module: str
    """Dotted name from there."""
    name: str
    """Of the function."""
    file: Path
    alone: bool
    """Whether it is a file by itself, and no module of a package that is installed."""


def place(model: str) -> Place:
    """Find ``path/to/file.py:function`` or ``package.module:function``; nothing is run.

    Raises
    ------
    FileNotFoundError
        If there is no such file or module.
    ValueError
        If it is no such name, the file is no Python, or has no such function.
    """
    found = NAME.fullmatch(model)
    if not found:
        raise ValueError(
            f"{model}: no function. Hint: write path/to/file.py:build, or package.module:build."
        )
    where, name = found["where"], found["name"]
    there = _file(where) if where.endswith(".py") or "/" in where else _module(where)
    known = sorted(_defined(there[2]))
    if name not in known and "*" not in known:
        near = difflib.get_close_matches(name, known, n=1)
        more = f"Did you mean {near[0]!r}?" if near else f"It has {', '.join(known) or 'none'}."
        raise ValueError(f"{there[2]}: no function {name!r}. {more}")
    return Place(there[0], there[1], name, there[2], there[3])


def _file(where: str) -> tuple[Path, str, Path, bool]:
    file = Path(where)
    if file.is_file() and file.suffix == ".py":
        return file.parent, file.stem, file, True
    beside = [path.name for path in sorted(file.parent.glob("*.py"))]
    near = difflib.get_close_matches(file.name, beside, n=1)
    hint = f"Did you mean {file.parent / near[0]}?" if near else _from()
    raise FileNotFoundError(f"{where}: no such Python file. {hint}")


def _from() -> str:
    return "Hint: paths are taken from the folder that the command is run in."


def _module(dotted: str) -> tuple[Path, str, Path, bool]:
    top = dotted.partition(".")[0]
    try:
        found = importlib.util.find_spec(top) if DOTTED.fullmatch(dotted) else None
    except (ImportError, ValueError):
        found = None
    origin = Path(found.origin) if found and found.origin else None
    root = origin.parents[1] if origin and origin.name == "__init__.py" else None
    root = root or (origin.parent if origin else None)
    file = _within(root, dotted) if root else None
    if root is None or file is None:
        hint = f"Hint: install it, or name a file, {dotted.replace('.', '/')}.py:build."
        raise FileNotFoundError(f"{dotted}: no such module. {hint}")
    return root, dotted, file, False


def _within(root: Path, dotted: str) -> Path | None:
    """File of a module below a folder."""
    path = root.joinpath(*dotted.split("."))
    for file in (path.parent / f"{path.name}.py", path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise ValueError(f"{file}{line}: no Python ({error}).") from None


def _defined(file: Path) -> Iterator[str]:
    """Names that a module has when it was imported, as far as they are written out."""
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (name.id for name in node.targets if isinstance(name, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name for alias in node.names)


def modules(there: Place) -> dict[str, Path]:
    """The module, and all that it imports beside it, directly or not; of a package all files."""
    if not there.alone:
        top = there.root / there.module.partition(".")[0]
        files = sorted(top.rglob("*.py")) if top.is_dir() else [there.file]
        return {file.relative_to(there.root).as_posix(): file for file in files}
    found: dict[str, Path] = {}
    waiting = [there.module]
    while waiting:
        module = waiting.pop()
        file = _within(there.root, module)
        if module in found or file is None:
            continue
        found[module] = file
        waiting += _imported(file, module)
    return found


def _imported(file: Path, module: str) -> Iterator[str]:
    inside = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = inside.split(".")[: len(inside.split(".")) - node.level + 1]
            base = ".".join(
                [*(above if node.level else []), *([node.module] if node.module else [])]
            )
            names = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in filter(None, names):  # of a.b also a, whose __init__ is run
            parts = name.strip(".").split(".")
            yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def digest(there: Place) -> str:
    """Hash over the syntax of the module and what it imports; comments and layout don't count.

    Of a package, which may be large, it is over its files as they are.
    """
    total = hashlib.sha256()
    for name, file in sorted(modules(there).items()):
        text = ast.unparse(_tree(file)).encode() if there.alone else file.read_bytes()
        total.update(f"{name}\n".encode() + text)
    return total.hexdigest()[:16]


@contextmanager
def imported(there: Place) -> Iterator[Any]:
    """Run the module, and give its function; imports inside of the ``with`` look beside it first.

    Raises
    ------
    ValueError
        If it can't be run; the message says where.
    """
    for name in modules(there) if there.alone else ():
        sys.modules.pop(name, None)  # one of this name may have been run from elsewhere
    sys.path.insert(0, str(there.root.resolve()))
    importlib.invalidate_caches()
    try:
        found = getattr(_run(there), there.name, None)
        if not callable(found):
            raise ValueError(f"{there.file}: {there.name} is no function, but {found!r}.")
        yield found
    finally:
        sys.path.remove(str(there.root.resolve()))


def _run(there: Place) -> ModuleType:
    try:
        if not there.alone:
            return importlib.import_module(there.module)
        # by a name of its own: one that is installed may have the file's
        name = f"physprobe_own_{there.module}"
        spec = importlib.util.spec_from_file_location(name, there.file)
        if spec is None or spec.loader is None:
            raise ImportError("no Python")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except Exception as error:  # whatever the user's code raises
        raise ValueError(
            f"{there.file} can't be imported: {type(error).__name__}: {error}."
        ) from error
    return module
