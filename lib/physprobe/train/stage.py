"""Train: fit an encoder to an endless stream of simulated clips, without labels."""

import csv
import json
import shutil
import subprocess
from pathlib import Path

import jinja2
import torch
import transformers

from physprobe.config import kinds
from physprobe.embed.networks.resize import Preprocessing
from physprobe.store import job, log
from physprobe.train._training import Training

CARD = Path(__file__).with_name("card.md.j2")
WEIGHTS = "model.safetensors"


def run(*, out: Path, spec: str, card: Path = CARD) -> None:
    """Train an encoder into a folder that ``VJEPA2Model.from_pretrained`` reads.

    Parameters
    ----------
    out : Path
        ``model.safetensors`` (float16); ``config.json``, ``preprocessor_config.json``,
        ``training.csv`` and ``card.md`` go beside it. While the run lasts there is a checkpoint,
        from which the same command goes on.
    spec : str
        JSON of the recipe's spec.
    card : Path
        Template of ``card.md``.

    Raises
    ------
    ValueError
        If the loss stops being finite, or the features collapse.
    """
    from physprobe.train import _linear, _loop, _recipe, _validation

    spec_: Training
    _, spec_ = kinds.parse("train", spec)
    entry = spec_.dump()
    torch.set_num_threads(job.current().threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder = out.parent
    work = folder / "unfinished"
    work.mkdir(parents=True, exist_ok=True)
    recipe = _recipe.Recipe(spec_).to(device)
    if device.type == "cpu":
        _linear.accelerate(recipe)
    identity = json.dumps({"code": job.current().code, "spec": entry}, sort_keys=True)
    tensors, rows = _loop.run(
        recipe,
        work,
        _validation.Judge(spec_, job.current().threads).scores,
        identity=identity,
        device=device,
    )
    model = _validation.finished(spec_, tensors).half()
    transformers.utils.logging.disable_progress_bar()
    model.save_pretrained(work)
    (work / WEIGHTS).chmod(0o644)
    (work / "preprocessor_config.json").write_text(_processor(spec_.crop_size))
    _table(work / "training.csv", rows)
    parameters = sum(value.numel() for value in tensors.values())
    kept = [row for row in rows if row["kept"]][-1]
    text = _card(
        card,
        name=folder.name,
        spec=spec_,
        parameters=parameters,
        first=rows[0],
        kept=kept,
        last=rows[-1],
        targets=[f"{name}/{label}" for name, group in spec_.validation.items() for label in group],
        device="a GPU" if device.type == "cuda" else "a CPU",
        torch=torch.__version__.split("+")[0],
        code=job.current().code,
        commit=_commit(),
    )
    (work / "card.md").write_text(text)
    for name in ("config.json", "preprocessor_config.json", "training.csv", "card.md", WEIGHTS):
        (work / name).replace(folder / name)
    shutil.rmtree(work)
    log.done(
        f"{folder.name}: {parameters / 1e6:.2f} M parameters by {entry['kind']},"
        f" {spec_.steps} steps,"
        f" kept step {kept['step']} with mean R2 {kept['score']:.3f}"
        f" (before training {rows[0]['score']:.3f}), {log.megabytes(out):.1f} MB"
    )


def _processor(crop: int) -> str:
    content = {
        "crop_size": {"height": crop, "width": crop},
        "size": {"shortest_edge": crop},
        "image_mean": list(Preprocessing.mean),
        "image_std": list(Preprocessing.std),
        "do_rescale": True,
        "rescale_factor": 1 / 255,
    }
    return json.dumps(content, indent=2) + "\n"


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
