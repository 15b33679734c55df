"""Problems: what is wrong with a config, for the person who wrote it."""

import difflib
import typing
from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import ValidationError

from physprobe.core.spec import Spec


def explain(error: ValidationError, config: type[Spec]) -> Iterator[str]:
    """Every problem of a config in a line: where, what was found, what would be right."""
    for problem in error.errors(include_url=False):
        path = [str(step) for step in problem["loc"]]
        found = problem["input"]
        match problem["type"]:
            case "default_factory_not_called":
                continue  # it waits for a field that is wrong, which is reported itself
            case "extra_forbidden":
                model, path = _model_at(path, config)
                known = list(model.model_fields)
                yield (
                    f"{'.'.join(path)}: unknown key.{nearest(path[-1], known)}"
                    f" Known here: {', '.join(known)}."
                )
            case "union_tag_invalid":
                known = [tag.strip(" '") for tag in problem["ctx"]["expected_tags"].split(",")]
                kind = problem["ctx"]["tag"]
                yield (
                    f"{'.'.join(path)}.kind: found {kind!r}.{nearest(kind, known)}"
                    f" Known kinds: {', '.join(known)}."
                )
            case "missing":
                yield f"{'.'.join(_model_at(path, config)[1])}: missing."
            case "value_error" if not path:
                yield str(problem["ctx"]["error"])
            case _:
                text = problem["msg"].removeprefix("Value error, ")
                where = ".".join(_model_at(path, config)[1])
                yield f"{where}: found {found!r}; {text[0].lower()}{text[1:].rstrip('.')}."


def _model_at(path: list[str], config: type[Spec]) -> tuple[type[Spec], list[str]]:
    """Model that a path of pydantic's ends in, and the path as it stands in the file."""
    model, shown = config, []
    here: Any = config
    for step in path:
        options = _specs(here)
        tagged = [spec for spec in options if len(options) > 1 and _kind(spec) == step]
        if tagged:
            here = model = tagged[0]
            continue
        shown.append(step)
        if isinstance(here, type) and issubclass(here, Spec):
            model = here
            here = here.model_fields[step].annotation if step in here.model_fields else None
        elif typing.get_origin(here) is dict:
            here = typing.get_args(here)[1]
            if len(_specs(here)) == 1:
                here = _specs(here)[0]
    return model, shown


def _specs(hint: Any) -> list[type[Spec]]:
    if isinstance(hint, type) and issubclass(hint, Spec):
        return [hint]
    return (
        [spec for part in typing.get_args(hint) for spec in _specs(part)]
        if not _is_dict(hint)
        else []
    )


def _is_dict(hint: Any) -> bool:
    return typing.get_origin(hint) is dict


def _kind(spec: type[Spec]) -> str | None:
    field = spec.model_fields.get("kind")
    return field.default if field else None


def nearest(word: str, known: Iterable[str]) -> str:
    """The most similar of the known words as a question, if one is similar."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
