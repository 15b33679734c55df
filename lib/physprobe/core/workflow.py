"""Pipeline: what the rules need of the config - specs, fingerprints and inputs, by wildcard."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from physprobe.core import config as configs
from physprobe.core import fingerprint, shipped
from physprobe.core.spec import Spec

STORE = "zarr.json"
MODULES = {"gate": "falsify"}  # where a stage's code is, if not in a folder of its name
TRAINED = ("config.json", "model.safetensors", "preprocessor_config.json")


def lead_jobs_here() -> None:
    """Let the jobs that Snakemake starts import this very package, installed or not."""
    lib = str(Path(__file__).parents[2])
    before = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    os.environ["PYTHONPATH"] = os.pathsep.join([lib, *(path for path in before if path != lib)])


class Pipeline:
    """The validated config as Snakemake sees it: plain text, paths, or functions of the wildcards.

    Parameters
    ----------
    content : mapping
        What Snakemake read from ``config.yaml``.
    """

    def __init__(self, content: Mapping):
        self.config = configs.load(content)
        self.systems = list(self.config.systems)
        self.recipes = list(self.config.recipes)
        self.embeddings = [*self.config.encoders, *self.config.controls]
        self.probes = list(self.config.probes)
        self.models = list(self.config.koopman)
        self.studies = list(self.config.studies)
        self.gates = list(self.config.gates)
        self.comparisons = list(self.config.comparisons)
        self.layerwise = list(self.config.layerwise)
        self.figures = sorted(
            {f for entry in self.config.layerwise.values() for f in entry.figures}
        )

    def entry(self, stage: str, wildcards: object) -> Spec:
        """Spec that a rule's wildcards name."""
        config = self.config
        match stage:
            case "simulate" | "render":
                return getattr(config.systems[wildcards.system], stage)
            case "train":
                return config.recipes[wildcards.recipe]
            case "embed":
                return config.embedding(wildcards.encoder)
            case "probe":
                return config.probes[wildcards.probe]
            case "koopman":
                return config.koopman[wildcards.model]
            case "falsify" | "report":
                return config.studies[wildcards.study]
            case "discover":
                return config.discovery
            case "gate":
                return config.gates[wildcards.gate]
            case "layerwise":
                return config.layerwise[wildcards.layerwise]
        raise KeyError(stage)

    def spec(self, stage: str) -> Callable[[object], str]:
        """Canonical JSON of the entry that the wildcards name."""
        return lambda wildcards: self.entry(stage, wildcards).canonical()

    def code(self, stage: str) -> Callable[[object], str]:
        """Fingerprint of a stage with the kinds that the wildcards name."""
        return lambda wildcards: fingerprint.code(
            f"{MODULES.get(stage, stage)}.stage", *sorted(self._kinds(stage, wildcards))
        )

    def _kinds(self, stage: str, wildcards: object) -> set[str]:
        """Modules that a stage finds by name."""
        if stage in ("report", "gate", "layerwise", "calibrate"):
            return set()
        entry = self.entry(stage, wildcards)
        if stage == "falsify":
            return {f"falsify.{claim.kind}" for claim in entry.claims.values()}
        found = {f"{stage}.{entry.kind}"}
        for system in getattr(entry, "systems", {}).values():
            found |= {f"simulate.{system.simulate.kind}", f"render.{system.render.kind}"}
        return found

    def gpus(self, wildcards: object) -> int:
        """GPUs that an encoder can use: one if it is a network."""
        return getattr(self.entry("embed", wildcards), "GPUS", 0)

    def threads(self, wildcards: object) -> int:
        """Threads of an encoder: two for a network, one for what mostly reads."""
        return 1 + self.gpus(wildcards)

    def weights(self, wildcards: object) -> list[str]:
        """Files of an encoder that lies in a local folder, or will when its recipe is done."""
        folder = Path(getattr(self.entry("embed", wildcards), "model", None) or "")
        if folder.parent == Path("results/encoders") and folder.name in self.recipes:
            return [str(folder / name) for name in TRAINED]
        here = shipped.folder(str(folder))
        if folder == Path() or not here:
            return []
        # relative, so that a clone elsewhere names the same inputs
        return sorted(
            os.path.relpath(file)
            for file in here.iterdir()
            if file.suffix in {".json", ".safetensors"}
        )

    def seen(self, wildcards: object) -> list[str]:
        """Simulation, for a control that reads it; encoders see clips alone."""
        sees = getattr(self.entry("embed", wildcards), "SEES_SIMULATION", False)
        return [f"results/{wildcards.system}/simulation.zarr/{STORE}"] if sees else []

    def study_of_head(self, wildcards: object) -> dict[str, str]:
        """Input of a study's spatial head: its first encoder."""
        study = self.config.studies[wildcards.study]
        folder = f"results/{study.system}"
        return {
            "embeddings": f"{folder}/embeddings/{study.encoders[0]}.zarr/{STORE}",
            "simulation": f"{folder}/simulation.zarr/{STORE}",
        }

    @property
    def sources(self) -> list[str]:
        """What a law can be read off: the field, the video, and whatever keeps its spatial grid."""
        layer = self.config.discovery.layer
        grids = [
            name
            for name in self.embeddings
            if layer in getattr(spec := self.config.embedding(name), "tokens", ())
            or (spec.kind == "pixels" and spec.tubelet_frames == "mean")
        ]
        return ["field", "video", *grids]

    def source(self, wildcards: object) -> str:
        """Store that a law is read off."""
        folder = f"results/{wildcards.system}"
        stores = {"field": f"{folder}/simulation.zarr", "video": f"{folder}/clips.zarr"}
        name = wildcards.source
        return f"{stores.get(name, f'{folder}/embeddings/{name}.zarr')}/{STORE}"

    def compared(self, wildcards: object) -> dict[str, list[str]]:
        """Embeddings and simulations of a comparison, system by system."""
        systems = self.config.comparisons[wildcards.comparison].systems
        stores = {"embeddings": f"embeddings/{wildcards.encoder}", "simulation": "simulation"}
        return {
            name: [f"results/{system}/{store}.zarr/{STORE}" for system in systems]
            for name, store in stores.items()
        }

    def evidence(self, wildcards: object) -> dict[str, list[str] | str]:
        """Everything that a study's scores are read from."""
        study = self.config.studies[wildcards.study]
        folder = f"results/{study.system}"
        names, spatial = [*study.encoders, *study.controls], self.config.with_tokens(study)
        return {
            "probes": [f"{folder}/probes/{name}.{study.probe}.json" for name in names],
            "koopman": [f"{folder}/koopman/{name}.{study.koopman}.json" for name in names],
            "heads": [f"{folder}/koopman/{name}.{study.head}.json" for name in spatial],
            "embeddings": [f"{folder}/embeddings/{name}.zarr/{STORE}" for name in names],
            "simulation": f"{folder}/simulation.zarr/{STORE}",
        }

    def gated(self, wildcards: object) -> list[str]:
        """Probe results of a gate's encoders on all of its systems."""
        gate = self.config.gates[wildcards.gate]
        return [
            f"results/{system}/probes/{name}.{probe}.json"
            for system, probe in gate.probes.items()
            for name in (gate.encoder, *gate.random)
        ]

    def curves(self, wildcards: object) -> dict[str, list[str]]:
        """Probe results and embeddings of a layerwise figure's panels."""
        entry = self.config.layerwise[wildcards.layerwise]
        names, found = (*entry.encoders, *entry.controls), {"probes": [], "embeddings": []}
        for curve in entry.figures[wildcards.figure].values():
            folder = f"results/{curve.system}"
            found["probes"] += [f"{folder}/probes/{name}.{curve.probe}.json" for name in names]
            found["embeddings"] += [f"{folder}/embeddings/{name}.zarr/{STORE}" for name in names]
        return {key: list(dict.fromkeys(paths)) for key, paths in found.items()}

    def page(self, wildcards: object) -> dict[str, list[str]]:
        """What the page shows: every study in turn."""
        studies = self.config.studies
        files = {
            "metrics": "fit_metrics.json",
            "tables": "fit_results.csv",
            "falsifications": "pixel_falsification_metrics.json",
        }
        found = {key: [f"results/{name}/{file}" for name in studies] for key, file in files.items()}
        folders = [study.system for study in studies.values()]
        return {**found, "clips": [f"results/{folder}/clips.zarr/{STORE}" for folder in folders]}

    def shipped(self, wildcards: object) -> dict[str, list[str]]:
        """What is known of the encoders that ship with the package."""
        patterns = {"gates": "*/gate.json", "trainings": "*/trials/*/training.csv"}
        return {
            key: sorted(os.path.relpath(file) for file in shipped.ENCODERS.glob(pattern))
            for key, pattern in patterns.items()
        }

    def everything(self, wildcards: object) -> list[str]:
        """What the page shows of every study, and what people take from it."""
        found = []
        for name, study in self.config.studies.items():
            found.append(f"results/{study.system}/preview.mp4")
            if study.head:
                found.append(f"results/{name}/{study.head}.safetensors")
        for name, entry in self.config.layerwise.items():
            found += [f"results/{name}/{figure}.png" for figure in entry.figures]
            systems = {c.system for panels in entry.figures.values() for c in panels.values()}
            found += [f"results/{system}/preview.mp4" for system in systems]
        return sorted(set(found))

    def clips(self, wildcards: object) -> str:
        """Clips of a study's system."""
        return f"results/{self.config.studies[wildcards.study].system}/clips.zarr/{STORE}"
