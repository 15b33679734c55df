"""The folder is the registry: ``kind: heat`` in a stage's section means ``<stage>/heat.py``.

What every kind of a stage offers is written once, as the protocol ``Kind`` in
``<stage>/section.py``; what has a default there may be left out.
"""

import ast
import importlib
import logging
import traceback
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Annotated, Any, Union

from pydantic import Field

from physprobe.config.problems import BROKEN
from physprobe.config.spec import Spec, entry

PACKAGE = Path(__file__).parents[1]
NOT_A_KIND = {"commands", "entries", "section", "stage"}


@cache
def names(stage: str) -> tuple[str, ...]:
    """Kinds that a stage offers: its modules, but for its own and shared ones (``_name``)."""
    modules = (path.stem for path in (PACKAGE / stage).glob("*.py"))
    return tuple(sorted(m for m in modules if not m.startswith("_") and m not in NOT_A_KIND))


def load(stage: str, kind: str) -> Any:
    """Module of one kind, and what it leaves out as the stage's contract has it.

    Raises
    ------
    ValueError
        If the stage has no such kind, and the message lists those that it has; or if its file can't
        be loaded or lacks what has no default, and the message names file and line.
    """
    if kind not in names(stage):
        raise ValueError(f"{stage} has no kind {kind!r}; it has {', '.join(names(stage))}.")
    try:
        return _completed(stage, importlib.import_module(_dotted(stage, kind)))
    except Exception as error:
        where = _where(error, PACKAGE / stage / f"{kind}.py")
        raise ValueError(
            f"{where} can't be loaded: {type(error).__name__}: {error}. Hint: mend the file, or"
            " remove it."
        ) from error


@cache
def outline(stage: str, kind: str) -> Any:
    """What one kind says of itself in plain constants, without loading it.

    Drawing is slow to import, and where files have to be named nothing is drawn. What a kind leaves
    out is as the stage's contract has it.

    Raises
    ------
    ValueError
        If the stage has no such kind.
    """
    if kind not in names(stage):
        raise ValueError(f"{stage} has no kind {kind!r}; it has {', '.join(names(stage))}.")
    contract = importlib.import_module(_dotted(stage, "section")).Kind
    found = {n: value for n, value in vars(contract).items() if not n.startswith("_")}
    tree = ast.parse((PACKAGE / stage / f"{kind}.py").read_text(encoding="utf-8"))
    for line in tree.body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            with suppress(ValueError):
                found[line.targets[0].id] = ast.literal_eval(line.value)
    return SimpleNamespace(**found)


def _dotted(folder: str, name: str) -> str:
    """Name of a module in a folder of this package."""
    return f"physprobe.{folder.replace('/', '.')}.{name}"


def _where(error: Exception, file: Path) -> str:
    """File and line of this package that an import failed at."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}, line {error.lineno}"
    frames = [
        f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename) != Path(__file__)
    ]
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    return f"{ours[-1].filename}, line {ours[-1].lineno}" if ours else str(file)


def _completed(stage: str, module: ModuleType) -> Any:
    """Contract of a stage with a module's names in place of its own; a TypeError if one lacks."""
    if not (PACKAGE / stage / "section.py").exists():
        return module
    contract = importlib.import_module(_dotted(stage, "section")).Kind
    own = {n: staticmethod(v) if callable(v) else v for n, v in vars(module).items()}
    return type(module.__name__, (contract,), own)()


def any_spec(stage: str) -> Any:
    """Type of a config entry whose ``kind`` names one of a stage's modules.

    A file that can't be loaded, half written perhaps, is left out: with a warning, and an error
    where its kind is asked for.
    """
    specs = []
    for kind in names(stage):
        try:
            specs.append(_spec(stage, kind))
        except ValueError as error:
            if f"{stage}.{kind}" not in BROKEN:
                logging.getLogger("physprobe").warning("%s", error)
            BROKEN[f"{stage}.{kind}"] = str(error)
    if not specs:
        raise ValueError("; ".join(BROKEN[f"{stage}.{kind}"] for kind in names(stage)))
    if len(specs) == 1:
        return specs[0]
    return Annotated[Union[tuple(specs)], Field(discriminator="kind")]  # noqa: UP007


def _spec(stage: str, kind: str) -> type[Spec]:
    """The ``Spec`` of one kind, whose field ``kind`` says so."""
    module = load(stage, kind)
    field = getattr(getattr(module, "Spec", None), "model_fields", {}).get("kind")
    if field is None or field.default != kind:
        raise ValueError(
            f"{module.__file__} has no Spec of kind {kind!r}. Hint: finish the file, or remove it."
        )
    return module.Spec


def parse(stage: str, text: str) -> tuple[Any, Any]:
    """Module and spec of the kind that a JSON text names, as rules pass it by ``--spec``.

    Raises
    ------
    ValueError
        If the text is no spec of a kind that the stage has; all problems in one line.
    """
    content = entry(text)
    kind = content.get("kind")
    if kind not in names(stage):
        found = "no kind" if kind is None else f"kind {kind!r}"
        raise ValueError(f"--spec: found {found}; {stage} has {', '.join(names(stage))}.")
    module = load(stage, kind)
    return module, module.Spec.of_entry(content)
