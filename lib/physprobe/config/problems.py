"""Problems: what is wrong with a config or a spec, for the person who wrote it."""

import difflib
import re
import types
import typing
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

BROKEN: dict[str, str] = {}
"""Kinds whose file can't be loaded, by ``stage.kind``, and why; the others go on working."""
LONGEST = 60
NEEDED = {
    "bool_type": "true or false is needed",
    "dict_type": "keys with values are needed (key: value)",
    "finite_number": "a finite number is needed",
    "float_type": "a number is needed",
    "int_type": "a whole number is needed",
    "model_type": "keys with values are needed (key: value)",
    "string_type": "text is needed",
    "tuple_type": "a list is needed, such as [a, b]",
}
"""What pydantic's types of problems mean, where its own words are those of a programmer."""

STUDY = "a study now, results/{name}/verdicts.json"
MOVED = {
    ("comparisons",): f"{STUDY}, with design: {{kind: together}}",
    ("transfers",): f"{STUDY}, with design: {{kind: elsewhere}} and claims of kind holds_elsewhere",
    ("layerwise",): f"{STUDY}, with claims of kind onset, by figure under figures",
    ("multiverses",): f"{STUDY}, with design: {{kind: every_way}} and claims of kind robust",
    ("local",): f"{STUDY}, with design: {{kind: places}} and claims of kind located",
    ("gates",): f"{STUDY}, with claims of kind above_random",
    ("discovery",): f"{STUDY}, with a method of kind linear and claims of kind right_law",
    ("studies", "probe"): "an entry of the study's methods now",
    ("studies", "koopman"): "an entry of the study's methods now",
    ("studies", "head"): "an entry of the study's methods now",
    ("studies", "parameters"): "ordinary now, which lists methods by system",
    ("studies", "threshold"): "margin of each claim now",
}
"""What became of keys of earlier versions, by section and key."""

Problem = tuple[tuple[str, ...], str]
"""Path to a value, and what is wrong with it."""


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[Problem]:
    """Every problem of a config or a spec: where, what was found, what would be right."""
    alternatives: dict[tuple[str, ...], tuple[Any, list[str]]] = {}
    for problem in error.errors(include_url=False):
        within, options, path = _model_at(problem["loc"], model)
        kind, context = problem["type"], problem.get("ctx", {})
        if kind == "default_factory_not_called":
            continue  # it waits for a field that is wrong, which is reported itself
        if kind == "value_error" and not path:
            for line in str(context["error"]).splitlines():
                where, text = _split(line)
                yield where, text
        elif kind == "extra_forbidden":
            yield path, _moved(path) or _unknown(path[-1], within, options)
        elif kind == "union_tag_invalid":
            known = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
            yield (*path, "kind"), _no_kind(context["tag"], known)
        elif kind == "union_tag_not_found":
            known = [_kind(option) for option in options]
            yield (*path, "kind"), f"missing. Known kinds: {', '.join(known)}."
        elif kind == "missing" and isinstance(problem["loc"][-1], int):
            yield path[:-1], f"found {_short(problem['input'])}; the list is too short."
        elif kind == "missing":
            yield path, "missing."
        else:
            found, texts = alternatives.setdefault(path, (problem["input"], []))
            texts.append(_needed(kind, problem["msg"], context, found))
    for path, (found, texts) in alternatives.items():
        yield path, f"found {_short(found)}; {', or '.join(dict.fromkeys(texts))}."


def told(problems: Iterable[Problem]) -> list[str]:
    """Problems as lines, each once."""
    return list(
        dict.fromkeys(f"{'.'.join(path)}: {text}" if path else text for path, text in problems)
    )


def _split(line: str) -> Problem:
    """Path and text of a line that starts with a path."""
    found = re.match(r"([a-z]\w*(?:\.\w+)*): ", line)
    return (tuple(found[1].split(".")), line[found.end() :]) if found else ((), line)


def _short(found: object) -> str:
    text = repr(found)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _needed(kind: str, message: str, context: dict, found: object) -> str:
    """What would be right, in a few words."""
    if kind in NEEDED:
        hint = " (in quotes)" if kind == "string_type" and isinstance(found, int | float) else ""
        return NEEDED[kind] + hint
    if kind == "too_short":
        return f"at least {context['min_length']} {_entries(context['min_length'])} needed"
    if kind == "too_long":
        return f"at most {context['max_length']} {_entries(context['max_length'])} taken"
    if kind == "string_pattern_mismatch":
        return "a name has small letters, digits and _, and starts with a letter"
    text = message.removeprefix("Value error, ").rstrip(".")
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", context["expected"])
        return f"{text[0].lower()}{text[1:]}{nearest(found, known).rstrip('?')}".rstrip(".")
    return text[0].lower() + text[1:]


def _entries(number: int) -> str:
    return "entry is" if number == 1 else "entries are"


def _unknown(key: str, model: type[BaseModel], options: list[type[BaseModel]]) -> str:
    """What is said of a key that a model doesn't know; it may be one of another kind."""
    known = list(model.model_fields)
    others = [_kind(option) for option in options if key in option.model_fields]
    if others:
        return (
            f"no key of kind {_kind(model)}, but of {', '.join(others)}. Hint: keys that are merged"
            " or stand in an earlier file stay; give an entry of another kind a name of its own."
        )
    return f"unknown key.{nearest(key, known)} Known here: {', '.join(known)}."


def _moved(path: tuple[str, ...]) -> str | None:
    """What is said of a key that an earlier version had."""
    found = MOVED.get(path if len(path) == 1 else (path[0], *path[2:]))
    return found and f"no key any more: {found}. Hint: CHANGELOG.md has all old and new names."


def _no_kind(kind: str, known: list[str]) -> str:
    broken = [text for name, text in BROKEN.items() if name.rpartition(".")[2] == kind]
    if broken:
        return f"found {kind!r}, but {'; '.join(broken)}"
    return f"found {kind!r}.{nearest(kind, known)} Known kinds: {', '.join(known)}."


def _model_at(
    location: tuple[str | int, ...], model: type[BaseModel]
) -> tuple[type[BaseModel], list[type[BaseModel]], tuple[str, ...]]:
    """Model that a location of pydantic's ends in, its alternatives, and the path in the file."""
    shown: list[str] = []
    options: list[type[BaseModel]] = [model]
    here: Any = model
    for step in location:
        if step == "[key]":
            continue
        here = _plain(here)
        found = _models(here)
        if len(found) > 1:
            options = found
            tagged = [option for option in found if _kind(option) == step]
            if tagged:
                here = model = tagged[0]
                continue
        if len(found) == 1:
            here = found[0]
        if isinstance(here, type) and issubclass(here, BaseModel):
            shown.append(str(step))
            if here is not model:
                model, options = here, found
            here = here.model_fields[step].annotation if step in here.model_fields else None
        elif typing.get_origin(here) is dict:
            shown.append(str(step))
            here = typing.get_args(here)[1]
        elif typing.get_origin(here) in (tuple, list):
            if not isinstance(step, int):
                continue
            shown.append(str(step))
            parts = typing.get_args(here)
            here = parts[min(step, len(parts) - 1)] if parts[-1] is not ... else parts[0]
        elif here is None or not _is_union(here):
            shown.append(str(step))
    found = _models(_plain(here))
    return (model, found if len(found) > 1 else options, tuple(shown))


def _plain(hint: Any) -> Any:
    """A type without its annotations, and without None beside it."""
    if typing.get_origin(hint) is typing.Annotated:
        return _plain(typing.get_args(hint)[0])
    if _is_union(hint):
        parts = [part for part in typing.get_args(hint) if part is not type(None)]
        if len(parts) == 1:
            return _plain(parts[0])
    return hint


def _is_union(hint: Any) -> bool:
    return typing.get_origin(hint) in (typing.Union, types.UnionType)


def _models(hint: Any) -> list[type[BaseModel]]:
    """Models that a type may be."""
    hint = _plain(hint)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        return [hint]
    if not _is_union(hint):
        return []
    return [model for part in typing.get_args(hint) for model in _models(part)]


def _kind(model: type[BaseModel]) -> str:
    """Kind that a model is of; none, an empty one, of a section and the like."""
    field = model.model_fields.get("kind")
    return field.default if field else ""


def known(where: str, name: str, section: Collection[str]) -> Iterator[str]:
    """What to say of a name that a section doesn't have; nothing if it has it."""
    if name not in section:
        those = ", ".join(section) or "none"
        yield f"{where}: found {name!r}.{nearest(name, section)} Known: {those}."


def all_known(where: str, names: Iterable[str], section: Collection[str]) -> Iterator[str]:
    """The same for several names."""
    for name in names:
        yield from known(where, name, section)


def nearest(word: object, known: Iterable[str]) -> str:
    """The most similar of the known words as a question, if one is similar."""
    near = difflib.get_close_matches(str(word), list(known), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""
