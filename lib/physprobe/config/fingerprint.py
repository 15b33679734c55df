"""Fingerprints: one hash for all code of this package that a module's results follow from."""

import ast
import hashlib
import importlib.util
import json
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[1]
LOG = "store.log"
WORDS = {"config.problems", LOG}
"""Modules that word errors and log lines: no result follows from them."""


def code(*modules: str) -> str:
    """Hash over the syntax of modules and of everything inside the package that they import.

    Comments, docstrings, layout, types of arguments and returns, what is for a type checker alone,
    and what is logged don't count; nothing is imported.

    Parameters
    ----------
    *modules : str
        Dotted names inside the package, for instance ``probe.stage``.

    Returns
    -------
    str
        Sixteen hexadecimal digits.
    """
    total = hashlib.sha256()
    for module in sorted(closure(*modules)):
        total.update(f"{module}\n{_read(module).text}\n".encode())
    _kept(PACKAGE).save()
    return total.hexdigest()[:16]


def closure(*modules: str) -> set[str]:
    """Names of modules and of all that they import inside the package, directly or not."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found | WORDS:
            found.add(module)
            waiting.extend(_imports(module))
    return found


@cache
def _file(package: Path, module: str) -> Path | None:
    path = package.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file
    return None


class Module(NamedTuple):
    """What a fingerprint needs of a module."""

    digest: str
    """Of its source."""
    names: list[str]
    """What it imports of this package, dotted."""
    text: str
    """Its code without what doesn't count."""


@cache
def _read(module: str) -> Module:
    file = _file(PACKAGE, module)
    if file is None:
        raise ValueError(f"physprobe has no module {module!r}.")
    source = file.read_bytes()
    digest, kept = hashlib.sha256(source).hexdigest(), _kept(PACKAGE)
    known = kept.modules.get(module)
    if known is None or known.digest != digest:
        tree = _Untyped().visit(ast.parse(source))
        names = sorted(_names(module, tree))
        known = Module(digest, names, _text(tree, LOG in names))
        kept.add(module, known)
    return known


class Kept:
    """Modules as they were read last, in a file beside their compiled code.

    To parse all of them takes seconds, and every run of the workflow asks. A file that can't be
    read or written costs that time, and nothing else.
    """

    def __init__(self, package: Path):
        compiled = importlib.util.cache_from_source(str(package / "fingerprints.py"))
        self.file = Path(compiled).with_suffix(".json")
        # of another version of these rules, nothing is known
        self.rules = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
        self.modules: dict[str, Module] = {}
        self.changed = False
        with suppress(OSError, ValueError, TypeError, AttributeError):
            content = json.loads(self.file.read_text())
            if content["rules"] == self.rules:
                self.modules = {name: Module(*each) for name, each in content["modules"].items()}

    def add(self, name: str, module: Module) -> None:
        """Keep a module."""
        self.modules[name] = module
        self.changed = True

    def save(self) -> None:
        """Write what was added, unless Python is told to write no such files."""
        if not self.changed or sys.dont_write_bytecode:
            return
        part = self.file.with_suffix(f".{os.getpid()}.part")
        with suppress(OSError):
            self.file.parent.mkdir(exist_ok=True)
            part.write_text(json.dumps({"rules": self.rules, "modules": self.modules}))
            part.replace(self.file)
        self.changed = False


@cache
def _kept(package: Path) -> Kept:
    return Kept(package)


def _text(tree: ast.Module, logs: bool) -> str:
    tree = ast.parse(ast.unparse(tree))
    if logs:
        tree = _Unlogged().visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = [item for item in node.body if not _does_nothing(item)]
            node.body = body or [ast.Pass()]
    return ast.unparse(tree)


class _Untyped(ast.NodeTransformer):
    """Code without types of arguments and returns, and what is for a type checker alone.

    Types of fields stay, which data are checked by.
    """

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        self.generic_visit(node)
        checked = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return (node.orelse or ast.Pass()) if checked else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


class _Unlogged(ast.NodeTransformer):
    """Code without its calls of the log, of which ``log.progress(items, ...)`` passes items on."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        return None if _logs(node.value) else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        return self.visit(node.args[0]) if _logs(node) else self.generic_visit(node)


def _logs(node: ast.AST) -> bool:
    """Whether it is a call of a function of the log, which is imported by its own name."""
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id == LOG.rpartition(".")[2]
    )


def _does_nothing(node: ast.stmt) -> bool:
    """Whether it is a text, such as a docstring, or ``pass``."""
    return isinstance(node, ast.Pass) or (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _imports(module: str) -> set[str]:
    return {name for name in _read(module).names if _file(PACKAGE, name) is not None}


def _names(module: str, tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = ["physprobe", *module.split(".")][: -node.level]
                base = ".".join([*above, base]).rstrip(".")
            names.update(f"{base}.{alias.name}" for alias in node.names)
            names.add(base)
    return {name.removeprefix("physprobe.") for name in names if name.startswith("physprobe.")}
