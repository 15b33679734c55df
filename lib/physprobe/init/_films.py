"""Films: the config of a first study of a folder of films, with windows that all of them have."""

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from physprobe.config.spec import entry
from physprobe.scenes.films.folder import Contents
from physprobe.simulate import films
from physprobe.store import files

STUDY = "own_films"
TEMPLATE = Path(__file__).with_name("films.yaml.j2")
TWINS = ("rate", "reversed", "flipped")
FRAMES = 16, 8
"""Frames of a clip: of films with labels, and of those that are shown at several rates."""
WINDOWS = 100, 10
"""About how many windows a first study has, of the same: the latter are shown in twelve ways."""
GROUPS = 10
"""Groups, which films are cut into if there are fewer than folds."""
FOLDS = 5
PLAIN = re.compile(r"[\w./ -]*[\w/-]")
"""Text that YAML reads as what it is, if it isn't a word or number of its own."""


def study(folder: str, spec: str, place: Path, name: str = "films.yaml") -> str:
    """Config of a first study: of the labels that films have, else how they are played.

    Parameters
    ----------
    folder : str
        Of films, or a table of them.
    spec : str
        JSON of what else the entry of kind ``films`` is to say.
    place : Path
        Where the config is going to be read: the folder's path in it is from there.
    name : str
        Of the config.

    Raises
    ------
    ValueError
        If a film can't be used, or all are too short.
    """
    given = entry(spec)
    chosen = films.Spec.of_entry({"folder": folder, **given})
    found, faults = films.faults(chosen, windows=False)
    _refuse(folder, faults)
    numbers, classes = labels(found)
    fields = {**({} if numbers or classes else {"labels": [*TWINS]}), **given}
    fields |= windows(found, chosen, fields)
    fields = {key: fields[key] for key in films.Spec.model_fields if key in fields}
    _refuse(folder, films.faults(films.Spec.of_entry({"folder": folder, **fields}))[1])
    return config(os.path.relpath(folder, place), fields, numbers, classes, name)


def labels(found: Contents) -> tuple[list[str], list[str]]:
    """Labels that can be decoded: numbers, and classes; those that all films share can't."""
    table = found.listed.table
    numbers = dict(table.numbers) if table else {}
    classes = dict(table.classes) if table else {}
    for key in found.listed.units:
        values = np.array([each[key] for each in found.listed.labels.values()])
        (classes if values.dtype.kind == "U" else numbers)[key] = values
    return _varied(numbers), _varied(classes)


def _varied(values: Mapping[str, np.ndarray]) -> list[str]:
    return [name for name, own in values.items() if len(np.unique(own)) > 1]


def windows(found: Contents, spec: films.Spec, fields: Mapping) -> dict[str, Any]:
    """Rate, frames, step and pieces that suit all films, as far as nobody has said them.

    Parameters
    ----------
    found : Contents
    spec : Spec
        As it was given.
    fields : mapping
        The same, with what was added.
    """
    rates = [film.rate for film in found.films.values() if film.rate is not None]
    chosen: dict[str, Any] = {}
    if rates and not {"frame_rate", "fps"} & {*fields} and not _alike(rates):
        chosen["frame_rate"] = round(min(rates), 2)
    shown = chosen.get("frame_rate") or spec.frame_rate
    lengths = [
        int(film.count if shown is None or film.rate is None else film.count * shown / film.rate)
        for film in found.films.values()
    ]
    several = 3 if "rate" in fields.get("labels", ()) else 1
    groups = _groups(found)
    if 1 < groups < FOLDS and "pieces" not in fields:
        chosen["pieces"] = -(-GROUPS // groups)
    cut = chosen.get("pieces") or fields.get("pieces") or (GROUPS if groups == 1 else 1)
    if "frames" not in fields:
        # between two pieces as much is left out as a clip reaches over
        room = (min(lengths) // (2 * cut - 1) - 1) // several
        # an even number: encoders see two frames at a time
        chosen["frames"] = max(2, min(FRAMES[several > 1], room + 1) // 2 * 2)
    if "step" not in fields:
        span = fields.get("frames", chosen.get("frames", 0)) * several
        chosen["step"] = max(span, -(-sum(lengths) // WINDOWS[several > 1]))
    return chosen


def _alike(rates: Sequence[float]) -> bool:
    """Whether films show their frames at one rate, within what a stamp's rounding can do."""
    return max(rates) / min(rates) < 1 + 1e-3


def _groups(found: Contents) -> int:
    """Groups of the films, before any of them is cut."""
    table = found.listed.table
    if table is None:
        return len(found.films)
    return len({row.file if row.group is None else f"group {row.group}" for row in table.rows})


def config(
    folder: str, fields: Mapping, numbers: Sequence[str], classes: Sequence[str], name: str
) -> str:
    """Text of the config.

    Parameters
    ----------
    folder : str
    fields : mapping
        Of the entry of kind ``films``, but for the folder.
    numbers, classes : sequence of str
        Labels to decode.
    name : str
        Of the file.
    """
    import jinja2

    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    environment.filters["yaml"] = _yaml
    claims = list(_claims(numbers, classes))
    return environment.from_string(files.read_text(TEMPLATE)).render(
        schema=os.path.relpath("workflow/config.schema.json", Path(name).parent),
        name=name,
        twins="labels" in fields,
        entry={"folder": folder, **fields},
        numbers=list(numbers),
        classes=list(classes),
        methods=["numbers"] * bool(numbers) + ["classes"] * bool(classes),
        question=f"Which of {', '.join([*numbers, *classes])} is decoded beyond every control?",
        claims=claims,
    )


def _claims(numbers: Sequence[str], classes: Sequence[str]) -> Iterator[dict[str, str]]:
    taken: set[str] = set()
    for method, targets in (("numbers", numbers), ("classes", classes)):
        for target in targets:
            own = re.sub(r"[^a-z0-9_]", "_", target.lower())
            while own in taken:
                own += "_"
            taken.add(own)
            yield {
                "name": own,
                "statement": f"{target} is decoded better from a film than from any control.",
                "method": method,
                "target": target,
            }


def _yaml(value: object) -> str:
    """A value as people write it in YAML: plain where that is what YAML reads, else as JSON."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, str) and PLAIN.fullmatch(value) and not _read_otherwise(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _read_otherwise(text: str) -> bool:
    """Whether plain text would be something else: a number, true, null."""
    from physprobe.config import config_files

    try:
        return config_files.parse(f"a: {text}", "it").values["a"] != text
    except config_files.ConfigError:
        return True


def _refuse(folder: str, faults: Sequence) -> None:
    if not faults:
        return
    first = films.said(folder, faults[0])
    more = f"; and {len(faults) - 1} more" * (len(faults) > 1)
    raise ValueError(
        f"{folder}: {first}{more}. Hint: python -m physprobe films check {folder} lists all; mend"
        """ them, or leave films out by name: --spec '{"leave_out": ["a.mp4"]}'."""
    )
