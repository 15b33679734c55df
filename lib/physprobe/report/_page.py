"""Page: everything that ``report.html`` shows, as text, tables and inlined figures."""

import base64
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from PIL import Image

from physprobe.drawing import canvas, palette
from physprobe.statistics import margins
from physprobe.store import files

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
SCALE = 92  # pixels of the page per inch of a figure: letters are of one size in all of them
LARGER = 2  # times the picture's bytes: a drawing that takes more is shown as the picture
PICTURE, DRAWING = "image/png", "image/svg+xml"
TYPES = {".png": PICTURE, ".svg": DRAWING}
VERDICTS = "supported", "refuted", "cannot tell"


def html(
    judged: Mapping[str, Mapping],
    figures: Iterable[Path],
    filled: Mapping[str, Mapping],
    published: Path,
    template: Path,
    code: str,
    place: Path,
) -> str:
    """The page.

    Parameters
    ----------
    judged : mapping of str to mapping
        ``verdicts.json`` by study.
    figures : iterable of Path
        PNGs with title and caption, and SVGs of the same names; those in a study's folder are shown
        with it.
    filled : mapping of str to mapping
        ``fit_metrics.json`` by study.
    published : Path
        Published numbers (YAML).
    template : Path
    code : str
        Fingerprint of the page's own code.
    place : Path
        Folder of the page: figures and their tables are linked from there.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": number, "interval": interval, "shown": palette.shown}
    environment.filters |= {"scored": canvas.scored, "chance": chance}
    numbers = files.read_yaml(published)
    drawn: dict[str, list[dict]] = {}
    forms: dict[Path, list[Path]] = {}
    for path in figures:
        forms.setdefault(path.with_suffix(""), []).append(path)
    for path, same in forms.items():
        drawn.setdefault(path.absolute().parent.name, []).append(_figure(same, place))
    studies = [_study(name, found, drawn, filled.get(name)) for name, found in judged.items()]
    return environment.from_string(files.read_text(template)).render(
        studies=studies,
        title=studies[0]["name"] if len(studies) == 1 else "report",
        sizes=margins.SIZES,
        others=[figure for name, own in drawn.items() if name not in judged for figure in own],
        source=numbers["source"],
        published=[
            _compared(entry, filled)
            for entry in numbers["numbers"]
            if entry["study"] in filled or ("because" in entry and entry["study"] in judged)
        ],
        untrained=[study["name"] for study in studies if study["untrained"]],
        code=code,
    )


def _study(
    name: str, judged: Mapping, drawn: Mapping[str, list[dict]], fit: Mapping | None
) -> dict:
    encoders = judged["spec"]["encoders"]
    first = judged["labels"].get(encoders[0], "")
    tables = fit if fit and "probe_sim" in fit else None
    shown = drawn.get(name, [])
    return {
        "name": name,
        "spec": judged["spec"],
        "label": first,
        "untrained": palette.random(first),
        "tuned": [
            palette.shown(name, label)
            for name, label in judged["labels"].items()
            if name in encoders and palette.told(label)
        ],
        "answers": _answers(judged["claims"]),
        "crossed": _crossed(judged["claims"]),
        "claims": _claims(judged),
        "plan": judged.get("plan"),
        "ceilings": _ceilings(judged),
        "late": sum(claim["status"] == "exploratory" for claim in judged["claims"]),
        "figures": [figure for figure in shown if figure["caption"] != canvas.NOTHING],
        "not_drawn": [figure["title"] for figure in shown if figure["caption"] == canvas.NOTHING],
        "setup": judged["setup"],
        "provenance": judged["provenance"],
        "fit": tables,
        "rungs": [
            {"name": each, "role": role, **_rung(blocks)}
            for role in ("encoder", "control")
            for each, blocks in tables[f"{role}s"].items()
        ]
        if tables
        else [],
        "strata": _strata(tables) if tables else [],
        "arithmetic": _arithmetic(tables) if tables else [],
    }


def _figure(forms: Sequence[Path], place: Path) -> dict:
    """A figure as it is shown, what its metadata say of it, and where it lies with its table."""
    by_type = {TYPES[path.suffix]: path for path in forms}
    path = by_type[PICTURE]
    with Image.open(path) as image:
        told, wide = image.info, image.width / image.info.get("dpi", (100, 100))[0]
    return {
        "name": f"{path.parent.name}-{path.stem}",
        "title": told.get("Title") or path.stem.replace("_", " "),
        "caption": told.get("Description", ""),
        "files": {
            each.suffix[1:].upper(): _link(each, place)
            for each in (*by_type.values(), path.with_suffix(".csv"))
        },
        "image": _inlined(by_type),
        "width": round(SCALE * wide),
    }


def _inlined(forms: Mapping[str, Path]) -> str:
    """Address that holds a figure itself: the drawing, unless the picture is far smaller."""
    content = {kind: path.read_bytes() for kind, path in forms.items()}
    drawing, picture = content.get(DRAWING), content[PICTURE]
    kind = DRAWING if drawing and len(drawing) <= LARGER * len(picture) else PICTURE
    return f"data:{kind};base64,{base64.b64encode(content[kind]).decode()}"


def _link(path: Path, place: Path) -> str:
    """Address of a file from a page in a folder."""
    return quote(Path(os.path.relpath(path, place)).as_posix())


def _answers(claims: Sequence[Mapping]) -> list[dict]:
    """Of each encoder: a sentence, and how many and which of its claims have which verdict."""
    found = []
    for name in dict.fromkeys(claim["encoder"] for claim in claims):
        own = [claim for claim in claims if claim["encoder"] == name]
        words = [claim["verdict"] for claim in own]
        found.append(
            {
                "encoder": name,
                "label": own[0]["label"],
                "counts": {word: words.count(word) for word in VERDICTS},
                "sentence": sentence(words),
                "stated": {
                    word.capitalize(): [c["statement"] for c in own if c["verdict"] == word]
                    for word in VERDICTS[:2]
                },
            }
        )
    return found


def _crossed(claims: Sequence[Mapping]) -> list[dict]:
    """Of each claim its statement, and what is said of each encoder that it is claimed of."""
    found: dict[str, dict] = {}
    for claim in claims:
        line = found.setdefault(claim["claim"], {"statement": claim["statement"], "claims": []})
        line["claims"].append(claim)
    return list(found.values())


def _claims(judged: Mapping) -> dict[str, list[dict]]:
    """Lines of the claims table, those of one claim together."""
    found: dict[str, list[dict]] = {}
    for claim in judged["claims"]:
        line = {
            **claim,
            "probability": probability(claim),
            "extent": extent(claim),
        }
        found.setdefault(claim["claim"], []).append(line)
    return found


def _ceilings(judged: Mapping) -> list[dict]:
    """Of every target what one tells who knows the equation, and how far encoders are from it."""
    rows = [row for row in judged["rows"] if not row.get("claim")]
    return [
        {
            **row,
            "metric": row["metric"].removesuffix("_ceiling"),
            "encoders": [
                other
                for other in rows
                if other["metric"].endswith("_above_ceiling")
                and other["control"] == row["encoder"]
                and all(other[key] == row[key] for key in ("system", "target", "sample"))
            ],
        }
        for row in rows
        if row["metric"].endswith("_ceiling") and not row["metric"].endswith("_above_ceiling")
    ]


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
    if fit is None or ours is None:
        why = why or "ours was not computed"
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
    return {"source": None, **entry, "ours": ours, "verdict": verdict, "why": why}


def _at(content: Any, path: str) -> float | None:
    for key in path.split("."):
        content = content.get(key) if isinstance(content, Mapping) else None
    return content


def sentence(verdicts: Sequence[str]) -> str:
    """Say how many hold: ``2 of 6 claims hold, 3 are refuted, 1 can't be told.``."""
    held, refuted, unknown = (verdicts.count(word) for word in VERDICTS)
    parts = [f"{held or 'none'} of {len(verdicts)} claims hold{'s' * (held == 1)}"]
    if len(verdicts) == 1:
        parts = ["its one claim holds"] if held else []
    if refuted:
        many = f"{refuted} {'is' if refuted == 1 else 'are'}"
        parts.append(f"{many if len(verdicts) > 1 else 'its one claim is'} refuted")
    if unknown:
        parts.append(f"{unknown if len(verdicts) > 1 else 'its one claim'} can't be told")
    return f"{', '.join(parts)}."


def extent(claim: Mapping) -> str:
    """How much is supported, or how much would have been told."""
    if claim["verdict"] == "supported":
        far = claim["closed"]
        start = (claim["best_control"] or "chance").replace("_", " ")
        more = "" if far is None else f", {far:.0%} of the way from {start} to a perfect score"
        return (claim["size"] or "") + more
    if claim["detectable"] is None:
        return ""
    found = f"{number(claim['detectable'])} from the margin would have been told"
    if claim["groups_needed"] is None:
        return found
    needed, there = number(claim["groups_needed"]), number(claim["groups"])
    return f"{found}; this distance needs {needed} clips or groups, there are {there}"


def probability(claim: Mapping) -> str:
    """``p = 0.005 (200 permutations)``, or a dash."""
    if claim["p"] is None:
        return DASH
    draws = f" ({claim['draws']})" if claim["draws"] else ""
    return f"p {chance(claim['p'])}{draws}"


def chance(p: float) -> str:
    """``= 0.005``, or that it is below what is worth telling."""
    return f"= {p:.2g}" if p >= 0.0005 else "< 0.0005"


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
