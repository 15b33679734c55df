"""Config files: YAML read as data, with the file and the line of every entry.

Nothing in a file runs, nothing is guessed, nothing is dropped in silence. Booleans and numbers are
those of YAML 1.2 (``true``, ``1e-3``; ``yes``, ``010``, ``0x1F``, ``1:30`` and dates are text); no
key stands twice in a mapping; there are no tags, no templates, and what aliases can make of a file
is bounded. JSON is read too.
"""

import copy
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

MOST_BYTES = 1_000_000
MOST_VALUES = 100_000
"""Values of a file once aliases are followed; the config that ships has some thousands."""
DEEPEST = 32
LARGEST = 2**63 - 1
FIRST = Path("config.yaml")
SUFFIXES = {".yaml", ".yml", ".json"}
TEMPLATES = "__use_yte__"
EXTENDS = "extends"
SHARED = {"controls": "encoders"}
"""Sections whose entries may extend those of another one too: twins of an encoder."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

Way = tuple[str, ...]
"""Where a value is: keys, and places in lists, as text."""


class ConfigError(ValueError):
    """A config that can't be used; its text is all that a user needs."""


@dataclass(frozen=True)
class Content:
    """What config files say, as plain mappings, lists and scalars."""

    values: dict
    places: dict[Way, str] = field(default_factory=dict)
    """File and line of each value, by path."""

    def place(self, path: Iterable[str]) -> str:
        """File and line of a value, or of the nearest above it that stands in a file."""
        here = tuple(path)
        while here and here not in self.places:
            here = here[:-1]
        return self.places.get(here, "")

    def updated(self, later: "Content") -> "Content":
        """Put another content over this one: it adds entries, changes fields, replaces lists.

        Null in the place of a mapping takes that entry away.
        """
        values, places = copy.deepcopy(self.values), dict(self.places)
        _update(values, later.values, (), places)
        return Content(values, {**places, **later.places})


def _update(values: dict, later: Mapping, path: Way, places: dict[Way, str]) -> None:
    """Put later values over earlier ones, and forget where what they replace was."""
    for key, value in later.items():
        here = (*path, key)
        if isinstance(value, Mapping) and isinstance(values.get(key), dict):
            _update(values[key], value, here, places)
            continue
        for old in [old for old in places if old[: len(here)] == here]:
            del places[old]
        if value is None and isinstance(values.get(key), dict):
            del values[key]
        else:
            values[key] = copy.deepcopy(value)


def chosen(others: Iterable[Path], *, alone: bool = False) -> list[Path]:
    """Config files of a run: ``config.yaml`` of the working directory, then the others.

    Parameters
    ----------
    others : iterable of Path
        What the command line names by ``--configfile``.
    alone : bool
        Whether they stand in the place of ``config.yaml``.
    """
    others = list(others)
    without = alone or (others and not FIRST.is_file())
    return others if without else [FIRST, *others]


def gather(files: Iterable[Path], given: Mapping | None = None) -> Content:
    """Content of several config files, later ones over earlier ones, ``extends`` followed.

    Parameters
    ----------
    files : iterable of Path
        YAML or JSON.
    given : mapping, optional
        What the command line says by ``--config``; it goes over all files.

    Raises
    ------
    ConfigError
        If a file can't be read, or holds anything but data; every problem of every file in a line.
        If an entry extends one that is not there, or itself.
    """
    found, problems = Content({}), []
    for file in files:
        try:
            found = found.updated(read(file))
        except ConfigError as error:
            problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))
    if given:
        places = dict.fromkeys(_paths(given, ()), "--config")
        found = found.updated(Content(dict(given), places))
    return _extended(found)


def _extended(content: Content) -> Content:
    """Content whose entries hold what they extend: another entry of their section."""
    values = dict(content.values)
    for section, entries in content.values.items():
        if isinstance(entries, dict):
            values[section] = {name: _whole(content, (section, name)) for name in entries}
    return Content(values, content.places)


def _whole(content: Content, *ways: Way) -> Any:
    """Value of an entry: what it says, over the entry that it extends.

    Parameters
    ----------
    content : Content
    *ways : tuple of str
        Section and name of the entry, after those of the entries that extend it in turn.
    """
    section, name = ways[-1]
    entry = content.values[section][name]
    if not isinstance(entry, dict) or EXTENDS not in entry:
        return copy.deepcopy(entry)
    base = str(entry[EXTENDS])
    where = f"{content.place((*ways[-1], EXTENDS))}: {section}.{name}.{EXTENDS}"
    sections = (section, SHARED.get(section, section))
    found = next((s for s in sections if isinstance(content.values.get(s, {}).get(base), dict)), "")
    if not found:
        hint = f"name one that is there, or take {name} away as well ({section}: {{{name}: null}})"
        raise ConfigError(f"{where}: there is no {section}.{base}. Hint: {hint}.")
    if (found, base) in ways:
        raise ConfigError(f"{where}: {base} extends {name} in turn. Hint: write one of them out.")
    whole = _whole(content, *ways, (found, base))
    _update(whole, {key: value for key, value in entry.items() if key != EXTENDS}, (), {})
    return whole


def _paths(values: object, path: Way) -> Iterable[Way]:
    if path:
        yield path
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _paths(value, (*path, str(key)))


def read(file: Path) -> Content:
    """Content of one config file.

    Raises
    ------
    ConfigError
        If it can't be read, or holds anything but data; every problem in a line.
    """
    file = Path(file)
    name = _shown(file)
    swallowed = (
        " Hint: --configfile takes every name that follows it; put what you ask for first:"
        f" snakemake {name} --configfile mine.yaml."
    )
    if not file.is_file():
        if file == FIRST:
            swallowed = f" Hint: run Snakemake where {FIRST} is, or name another by --configfile."
        raise ConfigError(f"{name}: no such config file.{swallowed}")
    if file.suffix not in SUFFIXES or Path(name).parts[0] == "results":
        raise ConfigError(f"{name}: not a config file, which ends in .yaml or .json.{swallowed}")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ConfigError(f"{name}: can't be read: {error.strerror}.") from None
    if len(raw) > MOST_BYTES:
        raise ConfigError(f"{name}: {len(raw)} bytes; a config has {MOST_BYTES} at most.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{name}, line {line}: not UTF-8 text. Hint: save the file as UTF-8."
        ) from None
    return parse(text, name)


def _shown(file: Path) -> str:
    """A path as people write it: relative to where they are, if it is below."""
    near = os.path.relpath(file)
    return str(file) if near.startswith("..") else near


def parse(text: str, name: str) -> Content:
    """Content of a config file's text.

    Parameters
    ----------
    text : str
        One YAML document: a mapping.
    name : str
        Of the file, for messages.

    Raises
    ------
    ConfigError
        If it holds anything but data; every problem in a line.
    """
    reader = _Reader(text, name)
    try:
        node = reader.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = ", ".join(part for part in (error.context, error.problem) if part)
        hint = "indent by spaces, not tabs" if "\\t" in what or _tabbed(text, mark.line) else ""
        hint = hint or "look at the indentation, colons, quotes and brackets there and just above"
        raise ConfigError(
            f"{name}, line {mark.line + 1}: not YAML: {what}. Hint: {hint}."
        ) from None
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes, PyYAML characters: look for the line
        line = next(
            (
                number
                for number, words in enumerate(text.split("\n"), 1)
                if yaml.reader.Reader.NON_PRINTABLE.search(words)
            ),
            1,
        )
        raise ConfigError(
            f"{name}, line {line}: not YAML: {error.reason}. Hint: remove the character."
        ) from None
    if reader.problems:
        raise ConfigError("\n".join(reader.problems))
    places: dict[Way, str] = {}
    values = reader.values(node, (), places)
    return Content(values, places)


def _tabbed(text: str, line: int) -> bool:
    """Whether a line, counted from 0, or the one before it is indented by tabs."""
    near = text.split("\n")[max(line - 1, 0) : line + 1]
    return any("\t" in words[: len(words) - len(words.lstrip())] for words in near)


Scalar = str | int | float | bool | None
Entries = dict[str, tuple[int, "_Node"]]
"""Of a mapping: line and node by key."""


@dataclass(eq=False)
class _Node:
    """A value as it stands in a file; aliases lead to one node."""

    line: int
    value: "Scalar | list[_Node] | Entries" = None


class _Reader:
    """One document, from the parser's events to plain values."""

    def __init__(self, text: str, name: str):
        self.events = yaml.parse(text, Loader=_Loader)
        self.name = name
        self.problems: list[str] = []
        self.anchors: dict[str, _Node | None] = {}
        self.first: dict[str, int] = {}
        self.count = 0

    def document(self) -> _Node:
        """Node of the only document, a mapping."""
        next(self.events)  # the stream starts
        event = next(self.events)
        if isinstance(event, yaml.StreamEndEvent):
            raise ConfigError(f"{self.name}: empty. Hint: leave the file out, or give it an entry.")
        event = next(self.events)
        node = self.node(event, 1)
        next(self.events)  # the document ends
        event = next(self.events)
        if not isinstance(event, yaml.StreamEndEvent):
            self.problem(_line(event), "a second document. Hint: remove the line '---'.")
        elif not isinstance(node.value, dict):
            what = "empty" if node.value is None else "no mapping"
            self.problem(node.line, f"{what}. Hint: a config has sections, such as 'systems:'.")
        elif TEMPLATES in node.value:
            self.problem(
                node.value[TEMPLATES][0],
                f"{TEMPLATES}: templates would run code; a config is data. Hint: remove the key,"
                " and write values out or share them by anchors (&name, *name, <<).",
            )
        return node

    def problem(self, line: int, text: str) -> None:
        """Note what is wrong in a line."""
        self.problems.append(f"{self.name}, line {line}: {text}")

    def node(self, event: yaml.Event, depth: int) -> _Node:
        """Node that an event starts."""
        line, anchor = _line(event), event.anchor
        if depth > DEEPEST:
            raise ConfigError(f"{self.name}, line {line}: nested more than {DEEPEST} deep.")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(anchor, line)
        node = _Node(line)
        if anchor:
            self.anchor(anchor, line)
        if event.tag is not None:
            self.problem(
                line,
                f"the tag {_tag(event.tag)}; a config has none. Hint: leave it out, or quote text.",
            )
        if isinstance(event, yaml.ScalarEvent):
            node.value = self.scalar(event.value, plain=event.implicit[0], line=line)
        elif isinstance(event, yaml.SequenceStartEvent):
            node.value = []
            while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
                node.value.append(self.node(event, depth + 1))
        else:
            node.value = self.mapping(line, depth)
        if anchor:
            self.anchors[anchor] = node
        return node

    def anchor(self, name: str, line: int) -> None:
        """Note an anchor whose node has begun."""
        if name in self.first:
            self.problem(
                line,
                f"&{name} stands in line {self.first[name]} already. Hint: give one of them"
                " another name.",
            )
        self.first[name], self.anchors[name] = line, None

    def alias(self, name: str, line: int) -> _Node:
        """Node that an alias leads to."""
        if name not in self.anchors:
            raise ConfigError(f"{self.name}, line {line}: *{name} has no &{name} above it.")
        if (node := self.anchors[name]) is None:
            raise ConfigError(f"{self.name}, line {line}: *{name} stands inside of &{name} itself.")
        return node

    def mapping(self, start: int, depth: int) -> Entries:
        """Line and node of every key; what is written goes before what is merged by ``<<``."""
        written: Entries = {}
        merged: list[Entries] = []
        lines: dict[str, int] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            line, key = _line(event), self.key(event, depth)
            node = self.node(next(self.events), depth + 1)
            if key in lines:
                hint = "remove one of them, or give it another name"
                if key == "<<":
                    hint = "merge several by a list: <<: [*one, *other]"
                self.problem(line, f"{key} stands in line {lines[key]} already. Hint: {hint}.")
                continue
            if key is None:
                continue
            lines[key] = line
            if key == "<<":
                merged = self.sources(node, line)
            else:
                written[key] = (line, node)
        found: Entries = {}
        for source in reversed(merged):
            self.spend(len(source), start)
            found |= source
        return found | written

    def key(self, event: yaml.Event, depth: int) -> str | None:
        """Key of a mapping: text."""
        line = _line(event)
        quoted = isinstance(event, yaml.ScalarEvent) and not event.implicit[0]
        value = self.node(event, depth + 1).value
        if isinstance(value, str) and value:
            return value
        shown = "it" if isinstance(value, list | dict) else repr(value)
        hint = "" if quoted else " Hint: put it in quotes if it is a name."
        self.problem(line, f"{shown} can't be a key, which is a word.{hint}")
        return None

    def sources(self, node: _Node, line: int) -> list[Entries]:
        """Mappings that ``<<`` names."""
        parts = node.value if isinstance(node.value, list) else [node]
        found = [part.value for part in parts if isinstance(part.value, dict)]
        if len(found) == len(parts):
            return found
        self.problem(line, "<< merges mappings. Hint: <<: *name, or <<: [*one, *other].")
        return []

    def scalar(self, text: str, *, plain: bool, line: int) -> Scalar:
        """Value of a scalar."""
        if not plain:
            return self.checked(text, line)
        if text in _WORDS:
            return _WORDS[text]
        if _NOT_FINITE.fullmatch(text):
            self.problem(line, f"{text} is not a finite number.")
        elif _WHOLE.fullmatch(text):
            if len(text) < 25 and abs(int(text)) <= LARGEST:
                return int(text)
            self.problem(line, f"{text[:25]} is too large a number.")
        elif _NUMBER.fullmatch(text):
            number = float(text)
            if abs(number) != float("inf"):
                return number
            self.problem(line, f"{text[:25]} is too large a number.")
        return self.checked(text, line)

    def checked(self, text: str, line: int) -> str:
        """Text that can be written and shown."""
        # JSON writes what is beyond 16 bits as a pair
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if any(letter < " " and letter not in "\n\t" for letter in whole) or "\ufffd" in whole:
            self.problem(line, f"{text[:25]!r} holds a control character, which no text needs.")
        return whole

    def spend(self, values: int, line: int | str) -> None:
        """Count values, and stop before they become too many."""
        self.count += values
        if self.count > MOST_VALUES:
            raise ConfigError(
                f"{self.name}, line {line}: aliases make more than {MOST_VALUES} values of this"
                " file. Hint: write what you need."
            )

    def values(self, node: _Node, path: Way, places: dict[Way, str]) -> Any:
        """Plain values below a node, aliases followed; where each stands goes into places."""
        start = places.get(path[:1], "").rpartition(" ")[2] or node.line
        self.spend(1, start)
        if len(path) > DEEPEST:
            raise ConfigError(f"{self.name}, line {start}: nested more than {DEEPEST} deep.")
        if isinstance(node.value, dict):
            found: dict[str, object] = {}
            for key, (line, below) in node.value.items():
                places[*path, key] = f"{self.name}, line {line}"
                found[key] = self.values(below, (*path, key), places)
            return found
        if isinstance(node.value, list):
            listed = []
            for number, below in enumerate(node.value):
                places[*path, str(number)] = f"{self.name}, line {below.line}"
                listed.append(self.values(below, (*path, str(number)), places))
            return listed
        return node.value


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1


def _tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)
