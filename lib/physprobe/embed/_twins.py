"""Twins: controls that are "the same network, but ...", made for the encoders of each study."""

from collections.abc import Iterable, Mapping

from pydantic import TypeAdapter, ValidationError

from physprobe.config import kinds
from physprobe.config.architecture import Architecture
from physprobe.embed import _families, twin
from physprobe.embed.networks.network import Network


def resolved(content: Mapping) -> dict:
    """Content of a config, each control of kind ``twin`` made for every encoder it stands beside.

    A control ``untrained`` beside the encoder ``mine`` becomes the control ``untrained_of_mine``,
    in the entry's ``controls`` and in those of its claims. Content that is no config is left to its
    validation.
    """
    controls, encoders = (_entries(content.get(key)) for key in ("controls", "encoders"))
    twins = {name: spec for name, spec in controls.items() if spec.get("kind") == "twin"}
    if not twins:
        return dict(content)
    made: dict[str, dict] = {}
    found, told, left = dict(content), set(), set()
    for section, entries in content.items():
        if not isinstance(entries, dict):
            continue
        found[section] = dict(entries)
        for key, entry in _entries(entries).items():
            if not {"encoders", "controls"} <= set(entry):
                continue
            own = _made(twins, {n: encoders[n] for n in _asked(entry) if n in encoders})
            told |= set(own)
            made |= {name: spec for named in own.values() for name, spec in named.items()}
            asked = _renamed(entry, {name: list(named) for name, named in own.items()})
            found[section][key] = asked
            left |= set(_names(asked["controls"]))
    gone = told - left
    kept = {name: spec for name, spec in content["controls"].items() if name not in gone}
    return found | {"controls": kept | made}


def _made(twins: Mapping[str, dict], encoders: Mapping[str, dict]) -> dict[str, dict[str, dict]]:
    """Specs by name, of each twin that can be made of some of the encoders."""
    of_kinds = TypeAdapter(kinds.any_spec("embed"))
    found: dict[str, dict[str, dict]] = {}
    for name, raw in twins.items():
        for encoder, entry in encoders.items():
            try:
                how, what = twin.Spec.strict(raw), of_kinds.validate_python(entry)
            except ValidationError:
                continue
            if isinstance(what, Network) and (how.weights == "trained" or what.redrawn):
                found.setdefault(name, {})[f"{name}_of_{encoder}"] = how.of(what).dump()
    return found


def _renamed(entry: dict, names: Mapping[str, list[str]]) -> dict:
    """An entry whose controls, and those of its claims, are the twins that were made."""
    found = dict(entry)
    if isinstance(entry.get("controls"), list):
        found["controls"] = [
            new
            for old in entry["controls"]
            for new in (names.get(old, [old]) if isinstance(old, str) else [old])
        ]
    if isinstance(entry.get("claims"), dict):
        found["claims"] = {
            key: _renamed(claim, names) if isinstance(claim, dict) else claim
            for key, claim in entry["claims"].items()
        }
    return found


def _asked(entry: Mapping) -> Iterable[str]:
    """Encoders of an entry, and of its panels."""
    figures = _entries(entry.get("figures"))
    panels = [panel for figure in figures.values() for panel in _entries(figure).values()]
    return dict.fromkeys(name for part in (entry, *panels) for name in _names(part.get("encoders")))


def _names(found: object) -> list[str]:
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def _entries(section: object) -> dict[str, dict]:
    """Entries of a section that are mappings."""
    if not isinstance(section, dict):
        return {}
    return {name: entry for name, entry in section.items() if isinstance(entry, dict)}


def same_network(one: Network, other: Network) -> bool:
    """Whether two networks have one architecture, and the same weights unless they are random."""
    origins = [spec.origins for spec in (one, other)]
    if all(origins):
        return bool(origins[0] & origins[1])
    sizes = [
        {field: _families.declared(name).get(field) for field in Architecture.model_fields}
        if (name := next((name for name, _ in named), None))
        else {field: getattr(spec, field) for field in Architecture.model_fields}
        for named, spec in zip(origins, (one, other), strict=True)
    ]
    return sizes[0] == sizes[1]
