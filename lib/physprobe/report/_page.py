"""Page: everything that ``report.html`` shows, as text, tables and inlined figures."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import numpy as np
import pandas as pd

from physprobe.report import (
    _axes,
    _frames,
    _palette,
    calibration,
    confusion,
    dispersion,
    fit_comparison,
    fit_results,
    gate,
    layerwise,
    learning,
    local,
    multiverse,
    transfer,
)
from physprobe.store import files, zarrs

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
WORDS = (
    "layer", "note", "encoder", "label", "equation", "system", "target", "unit", "metric",
)  # fmt: skip
"""Columns of a figure's table that are no numbers, whatever they look like."""
SCALE = 92  # pixels of the page per inch of a figure: letters are of one size in all of them
SIZES = (0.01, "negligible"), (0.05, "small"), (0.2, "clear"), (float("inf"), "large")
"""Words for how far a supported claim's value is above its margin, each up to its bound."""
DRAWS = {
    "decodable": ("permutations", "permutations"),
    "forecast": ("shuffles", "time-shuffled fits"),
    "conditioned": ("head_permutations", "permutations of alpha"),
}
"""By claim: where the number of draws behind p stands, and what they are."""


class Material(NamedTuple):
    """What one study's part of the page is made of."""

    fit: Mapping
    judged: Mapping
    frames: Mapping[str, pd.DataFrame]


def frames(
    table: Path, clips: Sequence, panels: Mapping[str, ModuleType], strip: str
) -> dict[str, pd.DataFrame]:
    """Frames of all panels, from the table of what was drawn and the clips.

    Parameters
    ----------
    table : Path
        ``fit_results.csv``.
    clips : sequence of Dataset
        With ``video`` (clip, time, y, x, rgb), by the ``place`` that the film strip names.
    panels : mapping of str to module
    strip : str
        Panel that is the film strip.
    """
    whole = files.read_table(table, ["panel"], dtype=dict.fromkeys(WORDS, str))
    found = {name: _frames.from_table(whole, name) for name in panels}
    shots, seconds = found[strip], clips[0].time.values
    keys = list(zip(shots.get("place", [0] * len(shots)), shots["clip"], strict=True))
    videos = {
        (place, clip): zarrs.values(clips[int(place)], "video", clip=int(clip))
        for place, clip in dict.fromkeys(keys)
    }
    images = [
        videos[key][int(np.abs(seconds - time).argmin())]
        for key, time in zip(keys, shots["time"], strict=True)
    ]
    found[strip] = shots.assign(image=pd.Series(images, dtype=object))
    return found


class Section(NamedTuple):
    """Results that are shown figure by figure, under a title of their own."""

    title: str
    text: str
    figures: Mapping[str, ModuleType]
    """What draws a result, by what the figure's name begins with."""


SECTIONS = {
    "transfers": Section(
        "Does it hold elsewhere?",
        "Probes that were fitted to one part of the clips and are scored on another: in other"
        " colours, beyond the range of a parameter, on a combination that no training clip has."
        " Everything was chosen inside the training part; controls are transferred alike.",
        {"transfer": transfer},
    ),
    "layerwise_tables": Section(
        "Where in the encoder?",
        "Speed, acceleration and direction of moving balls, layer by layer, beside the controls:"
        " the same architecture with random weights, pixels, and where the ball is.",
        {"layerwise": layerwise},
    ),
    "multiverses": Section(
        "What if it had been done otherwise?",
        "The same claim under every combination of choices that one could defend: solver,"
        " normalisation, grouping of the folds, tokens, layer, form of the label. A claim that"
        " hangs on one of them shows it here.",
        {"multiverse": multiverse},
    ),
    "places": Section(
        "Where in the image?",
        "Labels of moving balls from the token under the ball, from one far away, from all of them,"
        " and patch by patch; the same places in another clip's tokens tell what a path alone gives"
        " away.",
        {"local": local},
    ),
    "surveys": Section(
        "The law from the clips alone",
        "No labels and no parameters: from fields, videos or spatial tokens, which law does a clip"
        " obey, or is there no telling? The field is the ceiling, the video the baseline, random"
        " weights the null.",
        {"confusion": confusion, "dispersion": dispersion},
    ),
    "calibrations": Section(
        "How often are the tests wrong?",
        "The complete pipeline, selection included, on features that know nothing of the labels,"
        " and its intervals where the truth is known.",
        {"calibration": calibration},
    ),
}
"""By the option of the page that names their results."""


class Shipped(NamedTuple):
    """What is known of the encoders that ship with the package."""

    gates: Mapping[str, Mapping]
    """Comparison with random weights, by encoder."""
    trials: pd.DataFrame
    """``training.csv`` of every recipe that was tried, with its name as ``recipe``."""


def html(
    studies: Sequence[Material],
    comparisons: Sequence[Material],
    asked: Mapping[str, Mapping[str, Mapping | pd.DataFrame]],
    shipped: Shipped,
    published: Path,
    template: Path,
    code: str,
) -> str:
    """The page.

    Parameters
    ----------
    studies, comparisons : sequence of Material
    asked : mapping of str to mapping of str to mapping or DataFrame
        Results, or tables of what was drawn, by section and name; see `SECTIONS`.
    shipped : Shipped
    published : Path
        Published numbers (YAML).
    template : Path
    code : str
        Fingerprint of the page's own code.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "interval": interval, "shown": _palette.shown}
    environment.filters["scored"] = _axes.scored
    fits = {material.fit["study"]: material.fit for material in studies}
    names = [material.fit["study"] for material in (*studies, *comparisons)]
    numbers = files.read_yaml(published)
    return environment.from_string(files.read_text(template)).render(
        studies=[_study(material) for material in studies],
        comparisons=[_asked(material, fit_comparison.PANELS) for material in comparisons],
        title=names[0] if len(names) == 1 else "report",
        sizes=SIZES,
        sections=[_section(name, found) for name, found in asked.items() if found],
        shipped=_shipped(shipped),
        recipes=_recipes(shipped.trials),
        source=numbers["source"],
        published=[
            _compared(entry, fits) for entry in numbers["numbers"] if entry["study"] in fits
        ],
        untrained=[
            material.fit["study"]
            for material in (*studies, *comparisons)
            if material.fit["untrained"]
        ],
        code=code,
    )


def _asked(material: Material, panels: Mapping[str, ModuleType]) -> dict:
    """What is shown of a study and of a comparison alike."""
    return {
        "fit": material.fit,
        "answers": _answers(material.judged["claims"]),
        "claims": _claims(material),
        "figures": [
            _figure(name, module, material.frames[name])
            for name, module in panels.items()
            if len(material.frames[name])
        ],
    }


def _study(material: Material) -> dict:
    fit = material.fit
    return {
        **_asked(material, fit_results.PANELS),
        "rungs": [
            {"name": name, "role": role, **_rung(blocks)}
            for role in ("encoder", "control")
            for name, blocks in fit[f"{role}s"].items()
        ],
        "strata": _strata(fit),
        "arithmetic": _arithmetic(fit),
    }


def _answers(claims: Sequence[Mapping]) -> list[dict]:
    """Of each encoder: how many of its claims have which verdict, and which were refuted."""
    found = []
    for name in dict.fromkeys(claim["encoder"] for claim in claims):
        own = [claim for claim in claims if claim["encoder"] == name]
        words = [claim["verdict"] for claim in own]
        found.append(
            {
                "encoder": name,
                "label": own[0]["label"],
                "counts": {w: words.count(w) for w in ("supported", "refuted", "cannot tell")},
                "refuted": [c["statement"] for c in own if c["verdict"] == "refuted"],
            }
        )
    return found


def _claims(material: Material) -> dict[str, list[dict]]:
    """Lines of the claims table, those of one claim together."""
    found: dict[str, list[dict]] = {}
    for claim in material.judged["claims"]:
        line = {
            **claim,
            "probability": probability(claim, material.fit["setup"]),
            "size": size(claim) if claim["verdict"] == "supported" else "",
        }
        found.setdefault(claim["claim"], []).append(line)
    return found


def _figure(name: str, module: ModuleType, frame: pd.DataFrame) -> dict:
    figure = module.figure(frame)
    return {
        "name": name,
        "title": module.TITLE,
        "caption": module.CAPTION,
        "image": base64.b64encode(_axes.png(figure)).decode(),
        "width": round(SCALE * figure.get_figwidth()),
    }


def _section(name: str, found: Mapping[str, Mapping | pd.DataFrame]) -> dict:
    """A section with a figure of every result."""
    section = SECTIONS[name]
    return {
        "name": name,
        "title": section.title,
        "text": section.text,
        "figures": [
            _figure(
                f"{prefix}-{key}",
                module,
                result if isinstance(result, pd.DataFrame) else module.frame(result),
            )
            for key, result in found.items()
            for prefix, module in section.figures.items()
        ],
    }


def _shipped(shipped: Shipped) -> list[dict]:
    """Figures of the gates, and of all trials beside each other."""
    found = [
        _figure(f"gate-{name}", gate, gate.frame(result, name))
        for name, result in shipped.gates.items()
    ]
    if len(shipped.trials):
        found.append(_figure("trials", learning, shipped.trials))
    return found


def _recipes(trials: pd.DataFrame) -> list[dict]:
    """Lines of the table of objectives, the one that learnt most first."""
    found = []
    for name, rows in trials.groupby("recipe") if len(trials) else ():
        trained = rows[rows["step"] > 0]
        best = trained.loc[trained["score"].idxmax()]
        found.append(
            {
                "name": name,
                "before": float(rows["score"].iloc[0]),
                "best": float(best["score"]),
                "seconds": float(best["seconds"]),
                "rank": float(best["effective_rank"]),
                "cosine": float(best["mean_cosine"]),
            }
        )
    return sorted(found, key=lambda line: -line["best"])


def _rung(blocks: Mapping) -> dict:
    """One line of the table of controls."""
    koopman = blocks["koopman"]
    nearest = [s for s in koopman["skill"] if s["baseline"] == "persistence"]
    return {
        "label": blocks["label"],
        "sim": blocks["probe_sim"],
        "frame": blocks["probe_frame"],
        "skill": nearest[0] if nearest else {"value": None, "ci": None},
        "radius": {"value": koopman["spectral_radius"], "ci": koopman["ci"].get("spectral_radius")},
    }


def _strata(fit: Mapping) -> list[dict]:
    """R2 on stable and unstable clips side by side."""
    if not fit["artefact"]:
        return []
    found: dict[str, dict] = {}
    for part in fit["artefact"]["strata"]:
        found.setdefault(part["encoder"], {})[part["clips"].split()[0]] = part
    both = fit["encoders"] | fit["controls"]
    return [
        {
            "name": name,
            "label": both[name]["label"],
            "all": both[name]["alpha_probe_sim"],
            **{key: parts.get(key, {"value": None}) for key in ("stable", "unstable")},
        }
        for name, parts in found.items()
    ]


def _arithmetic(fit: Mapping) -> list[dict]:
    """R2 by the published way of solving, and by others, side by side; each token's."""
    if not fit["artefact"]:
        return []
    found: dict[str, dict] = {}
    for part in fit["artefact"]["arithmetic"]:
        if part["sample"] == "token":
            found.setdefault(part["encoder"], {})[part["way"]] = part
    both = fit["encoders"] | fit["controls"]
    return [
        {
            "name": name,
            "label": both[name]["label"],
            "ways": ways,
            "ours": both[name]["alpha_probe_frame"],
        }
        for name, ways in found.items()
    ]


def _compared(entry: Mapping, fits: Mapping[str, Mapping]) -> dict:
    """A published number beside ours, with a verdict."""
    fit = fits.get(entry["study"])
    ours = _at(fit, entry["path"]) if fit else None
    verdict, why = "not comparable", entry.get("because")
    needs = entry.get("encoder")
    own = fit["provenance"]["encoders"][fit["setup"]["encoder"]] if fit else {}
    if ours is None:
        why = "ours was not computed"
    elif needs and own.get("hf_repo") != needs:
        why = f"different encoder: {fit['label']}, published with {needs.split('/')[-1]}"
    elif not why:
        reach = entry["tolerance"]
        near = abs(ours - entry["published"]) <= reach
        verdict = "reproduced" if near else "not reproduced"
        if reach:
            why = f"within {reach:g}" if near else f"further off than {reach:g}"
        else:
            why = "the same" if near else "not the same"
    return {**entry, "ours": ours, "verdict": verdict, "why": why}


def _at(content: object, path: str) -> float | None:
    for key in path.split("."):
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def size(claim: Mapping) -> str:
    """A word for how far a value is above its margin."""
    above = claim["value"] - claim["margin"]
    return next(word for bound, word in SIZES if above < bound)


def probability(claim: Mapping, setup: Mapping) -> str:
    """``p = 0.005 (200 permutations)``, or a dash."""
    if claim["p"] is None:
        return DASH
    key, what = DRAWS.get(claim["test"], (None, ""))
    if claim["null_q95"] is None:
        key, what = "bootstraps", "bootstrap draws"
    draws = f" ({setup[key]} {what})" if key in setup else ""
    return f"p = {claim['p']:.2g}{draws}" if claim["p"] >= 0.0005 else f"p < 0.0005{draws}"


def number(value: float | None, digits: int = 3) -> str:
    """Number for people: fixed digits, thousands apart, a true minus; a dash if undefined."""
    if value is None:
        return DASH
    if isinstance(value, int) or (abs(value) >= 1000 and abs(value) < 1e7):
        return f"{value:,.{0 if isinstance(value, int) else 1}f}".replace("-", MINUS)
    text = f"{value:.{digits}f}" if abs(value) < 1e7 else f"{value:.2g}"
    return text.replace("-", MINUS)


def interval(ci: Sequence | None, digits: int = 3) -> str:
    """``[0.81, 0.91]``, or nothing."""
    if not ci or ci[0] is None or ci[1] is None:
        return ""
    return f"[{number(ci[0], digits)}, {number(ci[1], digits)}]"
