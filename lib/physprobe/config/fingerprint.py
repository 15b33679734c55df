"""Fingerprints: one hash for all code of this package that a module's results follow from."""

import ast
import hashlib
from functools import cache
from pathlib import Path

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
        total.update(f"{module}\n{_text(module)}\n".encode())
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


def _file(module: str) -> Path | None:
    path = PACKAGE.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file
    return None


@cache
def _tree(module: str) -> ast.Module:
    file = _file(module)
    if file is None:
        raise ValueError(f"physprobe has no module {module!r}.")
    return _Untyped().visit(ast.parse(file.read_text()))


@cache
def _text(module: str) -> str:
    tree = ast.parse(ast.unparse(_tree(module)))
    if LOG in _imports(module):
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


@cache
def _imports(module: str) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = ["physprobe", *module.split(".")][: -node.level]
                base = ".".join([*above, base]).rstrip(".")
            names.update(f"{base}.{alias.name}" for alias in node.names)
            names.add(base)
    inside = {name.removeprefix("physprobe.") for name in names if name.startswith("physprobe.")}
    return frozenset(name for name in inside if _file(name) is not None)
