"""Rates: how often a verdict is right, wrong or missing, and how far parameters are off.

Right is the verdict of the law that a system obeys, and "cannot tell" where that is none of the
candidates; wrong, or false, is any other but "cannot tell". Rates have Wilson's 95 % interval.

References
----------
Wilson, Probable inference, the law of succession, and statistical inference, J. Am. Stat. Assoc. 22
(1927) 209-212.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from physprobe.discover.linear import CANNOT_TELL
from physprobe.statistics import bootstrap, intervals, scores

ALL = "all"
POSITIVE = ("alpha", "c", "gamma")  # their logarithms are what R2 is of
FEWEST = 3  # clips that R2 needs


def rows(found: Mapping[tuple[str, str], Mapping]) -> Iterator[dict]:
    """Rows of the survey's result; ``encoder`` is the source.

    Parameters
    ----------
    found : mapping of (system, source) to dict
        Results of fits of a law.

    Yields
    ------
    dict
        ``share`` of clips by verdict; ``right`` and ``wrong`` verdicts on clips and systems;
        ``false_verdicts`` on controls; ``exponent`` of decay and frequency; ``r2`` and
        ``relative_error`` of parameters, of clips with a verdict.
    """
    for source in dict.fromkeys(source for _, source in found):
        own = {system: result for (system, of), result in found.items() if of == source}
        for system, result in own.items():
            for row in _of_system(result):
                yield {"encoder": source, "system": system, **row}
        for row in _of_all(list(own.values())):
            yield {"encoder": source, "system": ALL, **row}


def rate(happened: Sequence[bool]) -> dict:
    """Share of what happened, with Wilson's interval."""
    return {**intervals.share(happened).columns(), "n_clips": len(happened)}


def _of_system(result: Mapping) -> Iterator[dict]:
    said, right = result["clips"]["verdict"], result["truth"]["verdict"]
    for verdict in sorted(set(said)):
        happened = [one == verdict for one in said]
        yield {"sample": "clip", "verdict": verdict, "metric": "share", **rate(happened)}
    yield from _right_and_wrong("clip", [(one, right) for one in said])
    yield from _of_controls([result])
    for row in result["rows"]:
        if row["metric"] == "exponent":
            kept = ("metric", "value", "ci_low", "ci_high", "n_clips", "note")
            yield {"quantity": row["quantity"], **{key: row[key] for key in kept}}
    for name, values in result["clips"]["by_own_law"].items():
        if name in result["clips"]["truth"]:
            yield from _of_parameter(name, values, result["clips"]["truth"][name])


def _of_all(results: list[Mapping]) -> Iterator[dict]:
    clips = [
        (one, result["truth"]["verdict"])
        for result in results
        for one in result["clips"]["verdict"]
    ]
    yield from _right_and_wrong("clip", clips)
    systems = [(result["verdict"]["verdict"], result["truth"]["verdict"]) for result in results]
    yield from _right_and_wrong("system", systems)
    yield from _of_controls(results)


def _right_and_wrong(sample: str, verdicts: list[tuple[str, str]]) -> Iterator[dict]:
    right = [said == known for said, known in verdicts]
    wrong = [said not in (known, CANNOT_TELL) for said, known in verdicts]
    note = None if sample == "clip" else "n_clips counts systems, each judged by all of its clips"
    for metric, happened in (("right", right), ("wrong", wrong)):
        yield {"sample": sample, "metric": metric, "note": note, **rate(happened)}


def _of_controls(results: list[Mapping]) -> Iterator[dict]:
    named = {
        name: [
            one != CANNOT_TELL for result in results for one in result["controls"][name]["clips"]
        ]
        for name in results[0]["controls"]
    }
    named[ALL] = [one for clips in named.values() for one in clips]
    for name, happened in named.items():
        if not happened:
            continue
        yield {"sample": "clip", "decoy": name, "metric": "false_verdicts", **rate(happened)}


def _of_parameter(name: str, values: list, truth: list) -> Iterator[dict]:
    """Estimates against labels, on the clips that have one."""
    found, known = np.array(values, float), np.array(truth, float)
    kept = np.isfinite(found)
    about = {"sample": "clip", "target": name}
    found, known = found[kept], known[kept]
    *ends, clips = bootstrap.median(np.abs(found / known - 1), 1000, 0)
    yield {
        **about, "metric": "relative_error", **intervals.Interval(*np.array(ends)).columns(),
        "n_clips": clips, "note": "median of clips with a verdict",
    }  # fmt: skip
    if name in POSITIVE:
        sound = found > 0
        found, known = np.log(found[sound]), np.log(known[sound])
    counted = {**about, "metric": "r2", "n_clips": len(found)}
    if len(found) < FEWEST or np.ptp(known) == 0:
        yield {**counted, "note": f"undefined: it takes {FEWEST} clips with different labels"}
        return
    sums = scores.r2_sums(known, (found - known) ** 2)
    note = "of logarithms" if name in POSITIVE else None
    yield {**counted, **bootstrap.interval(sums, scores.r2_of).columns(), "note": note}


def blocks(found: Mapping[tuple[str, str], Mapping]) -> dict:
    """What figures draw besides the rows: verdicts on whole systems, and dispersion relations."""
    return {
        "systems": [
            {
                "system": system,
                "source": source,
                "label": result["provenance"].get("encoder"),
                "right": result["truth"]["verdict"],
                **result["verdict"],
            }
            for (system, source), result in found.items()
        ],
        "dispersion": [
            {"system": system, "source": source, "quantity": quantity, **cloud}
            for (system, source), result in found.items()
            for quantity, cloud in result["dispersion"]["clouds"].items()
        ],
    }
