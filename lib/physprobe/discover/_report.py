"""Report: everything that is found of a system, as rows and blocks of a result."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from physprobe.discover import (
    _controls,
    _dispersion,
    _evidence,
    _modes,
    _observable,
    _order,
    _truth,
    _verdict,
)
from physprobe.discover._fit import covariance, fit, limit
from physprobe.discover._laws import BY_NAME, CANNOT_TELL, Law, beyond
from physprobe.discover._settings import Scale, Settings
from physprobe.statistics import bootstrap

NONE = "no law was named"
NORMAL975 = 1.96


def discover(
    spec: Settings,
    field: Sequence[np.ndarray] | np.ndarray,
    *,
    periodic: bool,
    scale: Scale,
    centre: bool,
    bent: bool,
    error: np.ndarray | None,
    truth: dict[str, np.ndarray],
    system: str,
) -> tuple[list[dict], dict]:
    """See :func:`physprobe.discover.linear.discover`."""
    whole = _modes.analyse(
        field,
        periodic=periodic,
        band=spec.band,
        most=spec.modes,
        components=spec.components,
        centre=centre,
        error=error,
    )
    found = _judged(spec, whole, bent)
    modes, evidence, shuffled = found.modes, found.evidence, found.shuffled
    verdict, singles = found.verdict, found.singles
    orders = _order.order(modes, evidence, spec.nulls, spec.seed)
    order = orders.pooled(_verdict.EXPLAINS)
    leading = BY_NAME[verdict.leading]
    theta, deviation = _parameters(leading, modes, scale)
    limits = _limits(leading, modes, scale)
    own = _own(singles, modes, scale)
    rates = _dispersion.disperse(modes, order or leading.order)
    scalings = {name: _dispersion.scale(rates, name) for name in _dispersion.QUANTITIES}
    controls = {name: _of_control(spec, whole, singles, name, bent) for name in _controls.NAMES}
    law = _truth.law(system)

    rows = [
        *_of_candidates(spec, evidence),
        *_of_order(spec, shuffled, orders),
        *_of_dispersion(spec, scalings, rates),
        *_of_singles(singles),
        *_of_leading(spec, leading, theta, limits),
        *_of_parameters(spec, own, truth),
        *_of_controls(controls),
    ]
    blocks = {
        "truth": {
            "kind": system,
            "law": law.name if law else None,
            "verdict": _truth.verdict(system),
        },
        "verdict": {
            "verdict": verdict.verdict,
            "law": verdict.law,
            "leading": verdict.leading,
            "order": order,
            "reason": verdict.reason,
        },
        "observable": found.observable
        and {"laws": found.observable.laws, "carries": found.observable.carries},
        "clips": {
            "verdict": [single.verdict for single in singles],
            "law": [single.law for single in singles],
            "reason": [single.reason for single in singles],
            "order": orders.pick(_verdict.EXPLAINS),
            "parameters": theta,
            "standard_errors": deviation,
            "intervals": _intervals(leading, theta, deviation),
            "by_own_law": own,
            "truth": {name: truth[name] for name in {*own, *theta} if name in truth},
        },
        "controls": controls,
        "dispersion": _blocks(spec, modes, rates, scalings, scale, _true(law, truth, scale, rates)),
        "modes": {
            "wavevector": modes.wavevector / scale.cell,
            "components": whole.amplitude.shape[3],
            "frames": modes.amplitude.shape[2],
        },
    }
    return rows, blocks


@dataclass(frozen=True)
class _Judged:
    observable: _observable.Observable | None
    modes: _modes.Modes
    evidence: _evidence.Evidence
    shuffled: _order.Succession
    verdict: _verdict.Verdict
    singles: list[_verdict.Verdict]


def _judged(spec: Settings, modes: _modes.Modes, bent: bool) -> _Judged:
    """Everything that leads to a verdict, from the search for an observable on."""
    observable = _observable.find(modes) if spec.observable else None
    modes = observable.read(modes) if observable else modes
    evidence = _evidence.gather(modes, bent=bent or observable is not None)
    shuffled = _order.succession(modes, spec.shuffles, spec.seed)
    draws = {"draws": spec.bootstraps, "seed": spec.seed}
    return _Judged(
        observable,
        modes,
        evidence,
        shuffled,
        _verdict.pooled(evidence, shuffled, **draws),
        _verdict.of_clips(evidence, shuffled, **draws),
    )


def _of_control(
    spec: Settings, modes: _modes.Modes, singles: list[_verdict.Verdict], name: str, bent: bool
) -> dict:
    """Verdicts on some clips' control, everything chosen anew; none of which there are none."""
    laws = [BY_NAME[one.law] if one.law else None for one in singles[: spec.controls]]
    alike = np.array([law is not None and law.everywhere_alike for law in laws])
    clips = np.flatnonzero(~alike) if name == "scrambled" else np.arange(len(laws))
    if not len(clips):
        return {"verdict": CANNOT_TELL, "clips": []}
    found = _judged(spec, _controls.control(name, modes.clips(clips), spec.seed), bent)
    return {
        "verdict": found.verdict.verdict,
        "clips": [single.verdict for single in found.singles],
    }


def _of_controls(controls: dict) -> Iterator[dict]:
    for name, found in controls.items():
        if not found["clips"]:
            continue
        named = [verdict != CANNOT_TELL for verdict in found["clips"]]
        yield {
            "sample": "clip",
            "decoy": name,
            "metric": "false_verdicts",
            "value": sum(named) / len(named),
            "n_clips": len(named),
            "note": "share of clips of which a law is named where there is none",
        }


def _own(
    singles: list[_verdict.Verdict], modes: _modes.Modes, scale: Scale
) -> dict[str, np.ndarray]:
    """Parameters (clip) of the law that was named for each; nan where none was."""
    laws = np.array([single.law or "" for single in singles])
    found: dict[str, np.ndarray] = {}
    for name in sorted(set(laws) - {""}):
        clips = np.flatnonzero(laws == name)
        theta, _ = _parameters(BY_NAME[name], modes.clips(clips), scale)
        for parameter, values in theta.items():
            found.setdefault(parameter, np.full(len(laws), np.nan))[clips] = values
    return found


def _true(
    law: Law | None, truth: dict, scale: Scale, rates: _dispersion.Dispersion
) -> _dispersion.Dispersion | None:
    """Rates that the labels give the same modes; None if there is no law, or no labels."""
    if law is None or not set(law.parameters) <= truth.keys():
        return None
    return _dispersion.of_law(law, _truth.parameters(law, truth, scale), rates)


def _parameters(law: Law, modes: _modes.Modes, scale: Scale) -> tuple[dict, dict]:
    """Parameters of every clip and their standard errors, in px and s where the law has units."""
    theta = fit(law, modes)[0]
    slopes = law.jacobian(theta, scale.cell, scale.frame)
    spread = slopes @ covariance(law, modes, theta) @ slopes.swapaxes(1, 2)
    error = np.sqrt(np.maximum(np.einsum("cpp->cp", spread), 0))
    found = theta * law.units(theta, scale.cell, scale.frame)
    named = (dict(zip(law.parameters, values.T, strict=True)) for values in (found, error))
    return next(named), next(named)


def _intervals(law: Law, theta: dict, error: dict) -> dict[str, np.ndarray]:
    """95 % intervals (clip, end) of parameters; of none below zero that can't be."""
    found = {}
    for name, bounded in zip(law.parameters, law.bounded, strict=True):
        ends = theta[name][:, None] + NORMAL975 * error[name][:, None] * np.array([-1, 1])
        found[name] = np.maximum(ends, 0) if bounded else ends
    return found


def _limits(law: Law, modes: _modes.Modes, scale: Scale) -> dict[tuple[str, str], np.ndarray]:
    """Upper limits (clip), in px and s, of what a law lacks: by the law that has it, and name."""
    found = {}
    for other, name in beyond(law):
        if other.periodic and not modes.periodic:
            continue
        cells = limit(other, modes, name)
        found[other.name, name] = cells * scale.parameter(name)
    return found


def _of_candidates(spec: Settings, evidence: _evidence.Evidence) -> Iterator[dict]:
    gain = evidence.gains()[0]
    drawn = _verdict.pooled_draws(evidence, spec.bootstraps, spec.seed)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    left = np.median(evidence.unexplained(), axis=0)
    for place, name in enumerate(evidence.names):
        law = BY_NAME.get(name)
        about = {"law": name, "order": law.order if law else None, "n_clips": len(gain)}
        yield {
            **about,
            "metric": "gain",
            "baseline": "best without dynamics",
            "value": gain[:, place].mean(),
            "ci_low": low[place],
            "ci_high": high[place],
            "note": "nats per number foretold",
        }
        yield {**about, "metric": "unexplained", "value": left[place], "note": "median of clips"}


def _of_order(spec: Settings, shuffled: _order.Succession, orders: _order.Order) -> Iterator[dict]:
    clips = len(shuffled.value)
    yield {
        "metric": "succession",
        "value": shuffled.value.mean(),
        "p": shuffled.pooled_p,
        "n_clips": clips,
        "note": f"against {spec.shuffles} shuffles of every clip's frames",
    }
    null = orders.null.mean(1)
    yield {
        "metric": "second_order",
        "order": 2,
        "law": "free_2",
        "baseline": "free_1",
        "value": orders.gain.mean(),
        "null_mean": null.mean(),
        "null_q95": _order.threshold(null),
        "n_clips": clips,
        "note": f"nats per number foretold; {spec.nulls} simulated first-order nulls",
    }


def _of_dispersion(spec: Settings, scalings: dict, found: _dispersion.Dispersion) -> Iterator[dict]:
    for name, scaling in scalings.items():
        for metric in ("exponent", "anisotropy"):
            value, low, high, clips = bootstrap.median(
                getattr(scaling, metric), spec.bootstraps, spec.seed
            )
            yield {
                "quantity": name,
                "metric": metric,
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "n_clips": clips,
                "note": "median of clips" if clips else f"no clip has a {name} to speak of",
            }
    if found.rates.shape[-1] == 1:
        directed = found.velocity()[1]
        value, low, high, clips = bootstrap.median(directed, spec.bootstraps, spec.seed)
        yield {
            "quantity": "frequency",
            "metric": "directed",
            "value": value,
            "ci_low": low,
            "ci_high": high,
            "n_clips": clips,
            "note": "part of the squared frequency that k . v accounts for; median of clips",
        }


def _of_singles(singles: list[_verdict.Verdict]) -> Iterator[dict]:
    said = [single.verdict for single in singles]
    for verdict in sorted(set(said)):
        yield {
            "sample": "clip",
            "verdict": verdict,
            "metric": "share",
            "value": said.count(verdict) / len(said),
            "n_clips": len(said),
            "note": "clips judged one by one",
        }


def _of_leading(spec: Settings, law: Law, theta: dict, limits: dict) -> Iterator[dict]:
    def row(name: str, of: Law, values: np.ndarray) -> dict:
        value, low, high, clips = bootstrap.median(values, spec.bootstraps, spec.seed)
        about = {"law": of.name, "order": of.order, "target": name}
        return {**about, "value": value, "ci_low": low, "ci_high": high, "n_clips": clips}

    for name, values in theta.items():
        note = f"{law.unit(name)}; median of clips, of the law that fits best"
        yield {**row(name, law, values), "metric": "parameter", "note": note}
    for (other, name), values in limits.items():
        unit = BY_NAME[other].unit(name)
        note = f"{unit}; {law.name} has none; median of clips' one-sided 95 % limits"
        yield {**row(name, BY_NAME[other], values), "metric": "upper_limit", "note": note}


def _of_parameters(spec: Settings, theta: dict, truth: dict) -> Iterator[dict]:
    for name, values in theta.items():
        if name in truth:
            apart = np.abs(values / truth[name] - 1)
            value, low, high, clips = bootstrap.median(apart, spec.bootstraps, spec.seed)
            yield {
                "target": name,
                "metric": "relative_error",
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "n_clips": clips,
                "note": "median of clips with a verdict; the labels were not seen before",
            }


def _blocks(
    spec: Settings,
    modes: _modes.Modes,
    found: _dispersion.Dispersion,
    scalings: dict,
    scale: Scale,
    true: _dispersion.Dispersion | None,
) -> dict:
    """Curves, clouds, single clips and shared rates, wavenumbers in 1/px and rates in 1/s."""
    order = found.rates.shape[-1]
    curves = {}
    for name, scaling in scalings.items():
        curve = _dispersion.curve(scaling, found.weight, spec.bootstraps, spec.seed)
        curve["wavenumber"] = [value / scale.cell for value in curve["wavenumber"]]
        curves[name] = {**curve, "scaled_at": scaling.middle / scale.cell}
    rates, cloud = _dispersion.shared(modes, order, min(spec.bootstraps, 100), spec.seed)
    spread = (
        np.quantile(cloud.real, (0.025, 0.975), axis=0),
        np.quantile(np.abs(cloud.imag), (0.025, 0.975), axis=0),
    )
    shown = slice(0, spec.shown)
    return {
        "order": order,
        "curves": curves,
        "clouds": {
            name: _in_units(
                _dispersion.clouds(found, true, name, spec.bootstraps, spec.seed), scale
            )
            for name in _dispersion.QUANTITIES
        },
        "clips": {
            "decay": found.decay[shown] / scale.frame,
            "frequency": found.frequency[shown] / scale.frame,
            "weight": found.weight[shown],
        },
        "shared": {
            "note": "one propagator for all clips: right if they share their parameters",
            "real": rates.real / scale.frame,
            "imaginary": rates.imag / scale.frame,
            "real_ci": np.stack(spread[0]) / scale.frame,
            "frequency_ci": np.stack(spread[1]) / scale.frame,
        },
    }


def _in_units(cloud: dict, scale: Scale) -> dict:
    """Cloud with its wavenumbers in 1/px and its rates in 1/s."""
    return {
        name: None
        if values is None
        else np.asarray(values) / (scale.cell if name == "wavenumber" else scale.frame)
        for name, values in cloud.items()
    }
