"""Family: what the claims of a study are worth together, and how much each of them says.

Every line of the claims table that has a p of its margin is one claim of the family; in either
direction, as a refutation is a statement too. Over confirmatory ones the family-wise error is held
(Holm), over exploratory ones the rate of false discoveries (Benjamini, Hochberg). A line that would
be told by itself and isn't among the others is "cannot tell". The null that some kinds ask for
besides, of shuffled labels for one, is not adjusted: it can only take claims away.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from physprobe.statistics import families, margins, nulls

LATE = "exploratory"
"""Status of claims that were not declared before there was a result."""
HOLM = families.holm, "Holm"
FALSE_DISCOVERIES = families.benjamini_hochberg, "Benjamini-Hochberg"
RESOLVED = 5
"""Draws beyond a margin from which on p is more than a guess."""
INSIDE = ("narrowed", "room")
"""Columns that others follow from, and that are not written."""


def told(
    lines: Sequence[Mapping], draws: int, status: Mapping[str, str] = MappingProxyType({})
) -> list[dict]:
    """The claims table as it holds for all of its lines together.

    Parameters
    ----------
    lines : sequence of mapping
        Of :func:`_claim.judged`, with the name of each one's ``claim``.
    draws : int
        Of the bootstrap.
    status : mapping of str to str
        ``confirmatory``, or ``exploratory``, by claim: whether it was declared before there was a
        result. Of claims that nothing is known of nothing is said, and they are judged strictly.

    Returns
    -------
    list of dict
        With ``status``, ``p_adjusted``, and the ``verdict`` that follows. Of what can't be told for
        its interval ``detectable``, the distance to the margin that would have been, and
        ``groups_needed``; of what is supported ``size``, a word for the distance, and ``closed``,
        the share of the way from the best control to a perfect score.
    """
    found: list[dict] = [{} for _ in lines]
    known = [status.get(line["claim"]) for line in lines]
    for late, (adjust, name) in enumerate((HOLM, FALSE_DISCOVERIES)):
        places = [place for place, word in enumerate(known) if (word == LATE) == bool(late)]
        p = [np.nan if (own := lines[place]["p_margin"]) is None else own for place in places]
        family = adjust(p, nulls.LEVEL)
        for place, adjusted in zip(places, family.p.tolist(), strict=True):
            defined = None if np.isnan(adjusted) else adjusted
            whole = {**lines[place], "status": known[place], "p_adjusted": defined}
            word = _verdict(whole)
            if word != whole["verdict"]:
                whole["note"] = nulls.noted(
                    f"{whole['verdict']} by itself, not as one of {family.members}"
                    f" ({name}: p = {adjusted:.2g})",
                    _too_few(whole, family.required, draws),
                    whole["note"],
                )
            whole = {key: value for key, value in whole.items() if key not in INSIDE}
            sized = _sized(lines[place], word, defined, family.required)
            found[place] = whole | {"verdict": word} | sized
    return found


def _verdict(line: Mapping) -> str:
    """A line's verdict as one of its family."""
    word, adjusted = line["verdict"], line["p_adjusted"]
    if word == "cannot tell" or adjusted is None or adjusted < nulls.LEVEL:
        return word
    # refuted for another reason, as a loss on one target: nothing that p is of
    if word == "refuted" and line["value"] > line["margin"]:
        return word
    return "cannot tell"


def _too_few(line: Mapping, required: float, draws: int) -> str | None:
    """What to say where so few draws tell too little of a p as low as it would have to be."""
    if line["p_margin"] > RESOLVED / draws or required > RESOLVED / draws:
        return None
    return f"{draws} bootstrap draws tell no p this low: take {np.ceil(RESOLVED / required):.0f}"


def _sized(line: Mapping, word: str, adjusted: float | None, required: float) -> dict:
    """What could have been told, or how much is."""
    found: dict = dict.fromkeys(("detectable", "groups_needed", "size", "closed"))
    if word == "supported" and line["value"] is not None:
        found["size"] = margins.size(line["value"] - line["margin"])
        if line["room"]:
            found["closed"] = line["value"] / line["room"]
    elif word == "cannot tell" and adjusted is not None and adjusted >= nulls.LEVEL:
        distance, units = abs(line["value"] - line["margin"]), line["groups"] or np.inf
        reach = margins.reach(
            distance, line["ci_low"], line["ci_high"], units, required, line["narrowed"] or 1.0
        )
        found["detectable"] = reach.detectable
        if units < reach.units < np.inf:
            found["groups_needed"] = int(np.ceil(reach.units))
    return found
