"""Train: fit an encoder to simulated clips, without labels."""

import csv
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import jinja2
import torch

from physprobe.config import kinds
from physprobe.store import job, log, memory
from physprobe.train._training import Schedule


def run(
    *,
    out: Path,
    spec: str,
    card: Path | None = None,
    clips: Sequence[Path] = (),
    simulation: Sequence[Path] = (),
) -> None:
    """Train an encoder, or several members that differ in their seed, into a folder of its own.

    Parameters
    ----------
    out : Path
        ``model.safetensors``; ``config.json``, ``preprocessor_config.json``, ``training.csv`` and
        ``README.md`` go beside it. While the run lasts there are checkpoints, from which the same
        command goes on. The folder of a V-JEPA 2 is one that ``VJEPA2Model.from_pretrained`` reads.
    spec : str
        JSON of the recipe's spec.
    card : Path, optional
        Template of ``README.md``; by default the recipe's own.
    clips, simulation : sequence of Path
        Root ``zarr.json`` of the clips that are trained on, and of their simulation, for a recipe
        that reads stores.

    Raises
    ------
    ValueError
        If the loss stops being finite, or the features collapse.
    """
    from physprobe.train import _linear, _loop
    from physprobe.train._members import Members
    from physprobe.train._recipe import Recipe

    spec_: Schedule
    _, spec_ = kinds.parse("train", spec)
    spec_ = spec_.reading(clips, simulation)
    family, members = spec_.family(), spec_.members
    torch.set_num_threads(job.current().threads)
    memory.keep()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder = out.parent
    work = folder / "unfinished"
    content = [spec_.content(), *(world.simulate.content() for world in spec_.worlds)]
    tensors: dict[int, dict[str, torch.Tensor]] = {}
    tables: dict[int, list[dict]] = {}
    for some in [tuple(members)] if spec_.together else [(seed,) for seed in members]:
        part = work / ("together" if spec_.together else str(some[0]))
        part.mkdir(parents=True, exist_ok=True)
        recipes = [Recipe(members[seed]).to(device) for seed in some]
        if device.type == "cpu" and family.WIDE and not spec_.together:
            for recipe in recipes:
                _linear.accelerate(recipe)
        specs = [members[seed].dump() for seed in some]
        follows = {"code": job.current().code, "specs": specs, "content": content}
        identity = json.dumps(follows, sort_keys=True)
        judge = family.judge(members[some[0]], job.current().threads)
        if len(members) > 1:
            log.info(
                f"{folder.name}: {len(tensors)} of {len(members)} members are trained, now"
                f" seed{'s' if len(some) > 1 else ''} {', '.join(map(str, some))}"
            )
        found = _loop.run(
            Members(recipes) if len(recipes) > 1 else recipes[0],
            part, judge, identity=identity, device=device,
        )  # fmt: skip
        for seed, (kept_tensors, rows) in zip(some, found, strict=True):
            tensors[seed], tables[seed] = kept_tensors, rows
    family.write(spec_, tensors, work)
    rows = [
        {**({"member": seed} if len(members) > 1 else {}), **row}
        for seed, table in tables.items()
        for row in table
    ]
    _table(work / "training.csv", rows)
    first = next(iter(tensors))
    parameters = sum(value.numel() for value in tensors[first].values())
    kept = [[row for row in table if row["kept"]][-1] for table in tables.values()]
    told = _card(
        card or Path(__file__).with_name(spec_.CARD),
        name=folder.name,
        spec=spec_,
        parameters=parameters,
        first=_mean([table[0] for table in tables.values()]),
        kept=_mean(kept),
        last=_mean([table[-1] for table in tables.values()]),
        members=len(members),
        collapsed=sum(table[-1]["collapsed"] for table in tables.values()),
        targets=[name for name in kept[0] if "/" in name],
        device="a GPU" if device.type == "cuda" else "a CPU",
        torch=torch.__version__.split("+")[0],
        code=job.current().code,
        commit=_commit(),
    )
    (work / "README.md").write_text(told)
    for name in ("training.csv", "README.md", *family.FILES):
        (work / name).replace(folder / name)
    shutil.rmtree(work)
    before = _mean([table[0] for table in tables.values()])["score"]
    log.done(
        f"{folder.name}: {len(members)} x {parameters / 1e6:.2f} M parameters by {spec_.kind},"
        f" {spec_.steps} steps, mean R2 {_mean(kept)['score']:.3f}"
        f" (before training {before:.3f}), {log.megabytes(out):.1f} MB"
    )


def _mean(rows: list[dict]) -> dict:
    """Mean over members of what their rows hold; of steps and words the first's.

    A member whose best checkpoint is that before training has no loss there: the mean is of those
    that have one.
    """
    if len(rows) == 1:
        return rows[0]
    found = {}
    for key, first in rows[0].items():
        known = [row[key] for row in rows if isinstance(row[key], float)]
        found[key] = sum(known) / len(known) if known else first
    return found


def _table(path: Path, rows: list[dict]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)


def _card(template: Path, **content: object) -> str:
    """What a person needs to know of an encoder before using it."""
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )  # a text for people to read as it is, not HTML
    return environment.from_string(template.read_text()).render(**content)


def _commit() -> str | None:
    """Commit that this code is, as far as git can tell."""
    found = subprocess.run(
        ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short=12", "HEAD"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return found.stdout.strip() or None
