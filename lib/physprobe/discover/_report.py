"""Report: everything that is found of a system, as rows and blocks of a result."""

from collections.abc import Iterator, Sequence

import numpy as np

from physprobe.discover import _dispersion, _evidence, _modes, _order, _verdict
from physprobe.discover._fit import covariance, fit
from physprobe.discover._laws import BY_NAME, Law

NONE = "no law was named"


def discover(
    spec: object,
    field: Sequence[np.ndarray] | np.ndarray,
    *,
    periodic: bool,
    scale: object,
    centre: bool,
    truth: dict[str, np.ndarray],
) -> tuple[list[dict], dict]:
    """See :func:`physprobe.discover.linear.discover`."""
    modes = _modes.analyse(
        field,
        periodic=periodic,
        band=spec.band,
        most=spec.modes,
        components=spec.components,
        centre=centre,
    )
    evidence = _evidence.gather(modes)
    shuffled = _order.succession(modes, spec.shuffles, spec.seed)
    orders = _order.order(modes, evidence, spec.nulls, spec.seed)
    draws = {"draws": spec.bootstraps, "seed": spec.seed}
    verdict = _verdict.pooled(evidence, shuffled, **draws)
    singles = _verdict.of_clips(evidence, shuffled, **draws)
    order = orders.pooled(_verdict.EXPLAINS)
    leading = BY_NAME[verdict.leading]
    theta, error = _parameters(leading, modes, scale)
    found = _dispersion.disperse(modes, leading.order)
    scalings = {name: _dispersion.scale(found, name) for name in _dispersion.QUANTITIES}
    named = {name: values for name, values in theta.items() if verdict.law}

    rows = [
        *_of_candidates(spec, evidence),
        *_of_order(spec, shuffled, orders),
        *_of_dispersion(spec, scalings, found),
        *_of_singles(singles),
        *_of_parameters(spec, named, truth),
    ]
    blocks = {
        "verdict": {
            "verdict": verdict.verdict,
            "law": verdict.law,
            "leading": verdict.leading,
            "order": order,
            "reason": verdict.reason,
        },
        "clips": {
            "verdict": [single.verdict for single in singles],
            "law": [single.law for single in singles],
            "reason": [single.reason for single in singles],
            "order": orders.pick(_verdict.EXPLAINS),
            "parameters": theta,
            "standard_errors": error,
            "truth": {name: truth[name] for name in leading.parameters if name in truth},
        },
        "dispersion": _blocks(spec, modes, found, scalings, scale),
        "modes": {
            "wavevector": modes.wavevector / scale.cell,
            "components": modes.amplitude.shape[3],
            "frames": modes.amplitude.shape[2],
        },
    }
    return rows, blocks


def _parameters(law: Law, modes: _modes.Modes, scale: object) -> tuple[dict, dict]:
    """Parameters of every clip and their standard errors, in px and s where the law has units."""
    theta = fit(law, modes)[0]
    error = np.sqrt(np.maximum(np.einsum("cpp->cp", covariance(law, modes, theta)), 0))
    units = np.array([1.0 if name == "rate" else scale.parameter(name) for name in law.parameters])
    return tuple(
        dict(zip(law.parameters, (values * units).T, strict=True)) for values in (theta, error)
    )


def _of_candidates(spec: object, evidence: _evidence.Evidence) -> Iterator[dict]:
    gain = evidence.gains()[0]
    drawn = _verdict.pooled_draws(evidence, spec.bootstraps, spec.seed)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    left = np.median(evidence.unexplained(), axis=0)
    for place, name in enumerate(evidence.names):
        law = BY_NAME.get(name)
        about = {"model": name, "order": law.order if law else None, "n_clips": len(gain)}
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


def _of_order(spec: object, shuffled: _order.Succession, orders: _order.Order) -> Iterator[dict]:
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
        "model": "free_2",
        "baseline": "free_1",
        "value": orders.gain.mean(),
        "null_mean": null.mean(),
        "null_q95": _order.threshold(null),
        "n_clips": clips,
        "note": f"nats per number foretold; {spec.nulls} simulated first-order nulls",
    }


def _of_dispersion(spec: object, scalings: dict, found: _dispersion.Dispersion) -> Iterator[dict]:
    for name, scaling in scalings.items():
        for metric in ("exponent", "anisotropy"):
            value, low, high, clips = _dispersion.median(
                getattr(scaling, metric), spec.bootstraps, spec.seed
            )
            yield {
                "target": name,
                "metric": metric,
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "n_clips": clips,
                "note": "median of clips" if clips else f"no clip has a {name} to speak of",
            }
    if found.rates.shape[-1] == 1:
        directed = found.velocity()[1]
        value, low, high, clips = _dispersion.median(directed, spec.bootstraps, spec.seed)
        yield {
            "target": "frequency",
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
            "model": verdict,
            "metric": "share",
            "value": said.count(verdict) / len(said),
            "n_clips": len(said),
            "note": "clips judged one by one",
        }


def _of_parameters(spec: object, theta: dict, truth: dict) -> Iterator[dict]:
    for name, values in theta.items():
        if name in truth:
            apart = np.abs(values / truth[name] - 1)
            value, low, high, clips = _dispersion.median(apart, spec.bootstraps, spec.seed)
            yield {
                "target": name,
                "metric": "relative_error",
                "value": value,
                "ci_low": low,
                "ci_high": high,
                "n_clips": clips,
                "note": "median of clips; the labels were not seen before",
            }


def _blocks(
    spec: object,
    modes: _modes.Modes,
    found: _dispersion.Dispersion,
    scalings: dict,
    scale: object,
) -> dict:
    """Curves, single clips and shared rates, wavenumbers in 1/px and rates in 1/s."""
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
