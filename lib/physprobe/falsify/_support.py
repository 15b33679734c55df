"""Support: for each specification, how far an encoder is above its controls, and what follows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from physprobe.falsify._claim import NO_CONTROL, knowing, verdict
from physprobe.statistics import nulls, paired
from physprobe.store import results
from physprobe.store.evidence import Evidence
from physprobe.store.fits import Decoded, Result, decoded

SCORE = ("value", "ci_low", "ci_high")
VERDICTS = ("supported", "cannot tell", "refuted")


class Specified:
    """All fits of one encoder, by the axes of a specification.

    Parameters
    ----------
    methods : mapping of str to dict
        Results by name of the method, whose clips and layers are the same.
    """

    def __init__(self, methods: Mapping[str, Result]):
        self.about = {
            f"{method}/{way}": {"solver": method, **about}
            for method, result in methods.items()
            for way, about in result["fits"].items()
        }
        first = next(iter(methods.values()))
        self.layers: dict[str, str] = first["layers"]
        self._methods = methods
        self._held = {key: first[key] for key in ("truth", "group", "halves")}
        self._rows = {
            (f"{method}/{row['way']}", row["target"], row["sample"], row["layer"]): row
            for method, result in methods.items()
            for row in result["rows"]
        }

    def row(self, fit: str, target: str, sample: str, capture: str) -> dict:
        """Row of a specification's R2."""
        return self._rows[fit, target, sample, self.layers[capture]]

    def decoded(self, fit: str, target: str, sample: str, capture: str) -> Decoded | None:
        """How well a specification decodes its target; None if it is undefined."""
        method, _, way = fit.partition("/")
        result = self._methods[method]

        def predicted(part: Result) -> dict:
            held_out = part["fits"][way]["held_out"]
            return {"predictions": {**self._held, "held_out": held_out}}

        whole = predicted(result)
        if "members" in result:
            whole |= {"encoder": result["encoder"], "members": [*map(predicted, result["members"])]}
        return decoded(whole, target, sample, layer=self.layers[capture])


def specifications(
    evidence: Evidence, encoder: str, targets: Sequence[str], beyond: str, margin: float
) -> Iterator[dict]:
    """Lines of one claim about one encoder, each a specification with its verdict.

    A control answers the same specification: the same fit, target and sample, and where it has
    layers the same part of its depth.

    Parameters
    ----------
    evidence : Evidence
        With the fits of every way.
    encoder : str
    targets : sequence of str
        Forms of the label.
    beyond : str
        What it has to beat: ``controls`` or ``chance``.
    margin : float
        What the interval has to lie above.

    Yields
    ------
    dict
        The axes; ``value`` with interval; those of the best control as ``control_value`` and so on;
        ``difference`` with its interval, paired by clip, the best control found anew in each draw;
        ``verdict``: supported only if the interval of R2 is above 0 as well, and p below 0.05 where
        the solver has a null; ``cannot tell`` where no control is defined that it has to beat;
        ``undefined`` where the score is, with a ``note``.
    """
    own, *each = (
        Specified({method: fits[name] for method, fits in evidence.ways.items()})
        for name in (encoder, *evidence.controls)
    )
    controls = dict(zip(evidence.controls, each, strict=True))
    samples = results.first(results.first(evidence.ways))["design"]["samples"]
    # two parts of the depth may be one layer: one specification then
    captures = {layer: capture for capture, layer in reversed(own.layers.items())}
    for (fit, about), target, sample, (layer, capture) in product(
        own.about.items(), targets, samples, reversed(captures.items())
    ):
        place = (fit, target, sample, capture)
        row = own.row(*place)
        line = {
            "encoder": encoder,
            "fit": fit,
            **{key: about[key] for key in ("solver", "normalisation", "grouping")},
            "sample": sample,
            "layer": layer,
            "target": target,
            **{key: row[key] for key in (*SCORE, "p", "n_clips", "note")},
            "control": None,
            **dict.fromkeys(f"{what}_{key}" for what in ("control", "difference") for key in SCORE),
        }
        if row["value"] is None or (mine := own.decoded(*place)) is None:
            yield {**line, "verdict": "undefined"}
            continue
        others = {
            control: found
            for control, theirs in controls.items()
            if (found := theirs.decoded(*place)) is not None
        }
        if beyond == "controls" and not others:
            note = nulls.noted(NO_CONTROL, line["note"])
            yield {**line, "note": note, "verdict": "cannot tell"}
            continue
        low, high = row["ci_low"], row["ci_high"]
        p = row["p"] if about["permutations"] else 0.0
        if others:
            above = paired.above(mine, *others.values())
            difference, best = above.interval(about["bootstraps"]), paired.best(others)
            score = controls[best].row(*place)
            line |= {"control": best, **{f"control_{key}": score[key] for key in SCORE}}
            line |= {f"difference_{key}": end for key, end in difference.columns().items()}
            if beyond == "controls":
                low, high = difference.low, difference.high
        yield knowing({**line, "verdict": verdict(low, high, margin, p)}, "R2", row)


def rows(lines: Sequence[Mapping], beyond: str) -> Iterator[dict]:
    """Rows of one claim about one encoder: shares of the defined specifications, then each one.

    Shares have no interval: specifications are read on the same clips, and most of them differ in
    little.
    """
    counts = Counter(line["verdict"] for line in lines)
    defined = sum(counts[word] for word in VERDICTS)
    about = {"encoder": lines[0]["encoder"], "beyond": beyond}
    left = f"; {counts['undefined']} undefined" if counts["undefined"] else ""
    for word in VERDICTS:
        note = f"{counts[word]} of {defined} specifications{left}"
        value = counts[word] / defined if defined else None
        metric = f"share_{word.replace(' ', '_')}"
        counted = {"metric": metric, "n_clips": lines[0]["n_clips"]}
        yield {**about, **counted, "value": value, "note": note}
    for line in lines:
        place = {key: line[key] for key in ("encoder", "target", "sample", "layer", "n_clips")}
        place["method"], _, place["way"] = line["fit"].partition("/")
        yield {**place, "metric": "r2", **{key: line[key] for key in (*SCORE, "p", "note")}}
        if line["control"]:
            above = {key: line[f"difference_{key}"] for key in SCORE}
            yield {**place, "metric": "r2_above_controls", "control": line["control"], **above}
