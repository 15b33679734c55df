"""Pipeline: what the rules need of the config - specs, fingerprints and inputs, by wildcard."""

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from physprobe.config import checkpoints, fingerprint, kinds, shipped
from physprobe.config import model as configs
from physprobe.config.config_files import Content
from physprobe.config.spec import Spec
from physprobe.store.job import draw_to_files

PACKAGE = Path(__file__).parents[1]
STORE = "zarr.json"
MODULES = {"gate": "falsify", "compare": "falsify", "transfer": "falsify", "weights": "fit"}
"""Where a stage's code is, if not in a folder of its name."""
TRAINED = ("config.json", "model.safetensors", "preprocessor_config.json")


def lead_jobs_here() -> None:
    """Let the jobs that Snakemake starts run this interpreter and this very package.

    A job's ``python`` is that of Snakemake's environment, activated or not; an environment that
    ``--sdm conda`` activates in the job goes before it.
    """
    _lead("PYTHONPATH", PACKAGE.parent)
    _lead("PATH", Path(sys.executable).parent)
    draw_to_files()


def _lead(variable: str, folder: Path) -> None:
    """Put a folder first in a search path of the environment."""
    first = str(folder)
    before = [path for path in os.environ.get(variable, "").split(os.pathsep) if path]
    os.environ[variable] = os.pathsep.join([first, *(path for path in before if path != first)])


def packaged(name: str | Path) -> str:
    """Path of a file of this package as rules name it: from the working directory.

    A clone elsewhere names the same inputs, so nothing reruns there; and ``--directory`` and
    ``--snakefile`` find them from wherever they are.

    Parameters
    ----------
    name : str or Path
        Within the package, for instance ``report/physprobe.mplstyle``.
    """
    return os.path.relpath(PACKAGE.resolve() / (PACKAGE / name).relative_to(PACKAGE))


class Pipeline:
    """The validated config as Snakemake sees it: plain text, paths, or functions of the wildcards.

    Parameters
    ----------
    content : Content, or mapping
        What the config files say.
    """

    def __init__(self, content: Content | Mapping):
        self.config = configs.load(content)
        self.systems = list(self.config.systems)
        self.recipes = list(self.config.recipes)
        self.embeddings = [*self.config.encoders, *self.config.controls]
        self.methods = list(self.config.methods)
        self.studies = list(self.config.studies)
        self.gates = list(self.config.gates)
        self.transfers = list(self.config.transfers)
        self.comparisons = list(self.config.comparisons)
        self.layerwise = list(self.config.layerwise)
        self.multiverses = list(self.config.multiverses)
        self.local = list(self.config.local)
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
            case "fit":
                return config.methods[wildcards.method]
            case "falsify" | "report":
                return config.studies[wildcards.study]
            case "compare":
                return config.comparisons[wildcards.comparison]
            case "discover":
                return config.discovery.method
            case "survey":
                return config.discovery
            case "calibrate":
                return config.calibration or configs.Calibration()
            case "gate":
                return config.gates[wildcards.gate]
            case "transfer":
                return config.transfers[wildcards.transfer]
            case "layerwise":
                return config.layerwise[wildcards.layerwise]
            case "multiverse":
                return config.multiverses[wildcards.multiverse]
            case "local":
                return config.local[wildcards.local]
        raise KeyError(stage)

    def spec(self, stage: str) -> Callable[[object], str]:
        """Canonical JSON of the entry that the wildcards name."""
        return lambda wildcards: self.entry(stage, wildcards).canonical()

    def listing(self, stage: str) -> Callable[[object], str]:
        """Digest of the user's files that a stage reads, as they lie there now."""
        return lambda wildcards: self.entry(stage, wildcards).listing()

    def code(self, stage: str) -> Callable[[object], str]:
        """Fingerprint of a stage with the kinds that the wildcards name."""
        return lambda wildcards: fingerprint.code(
            f"{MODULES.get(stage, stage)}.stage", *sorted(self._kinds(stage, wildcards))
        )

    def _kinds(self, stage: str, wildcards: object) -> set[str]:
        """Modules that a stage finds by name."""
        if stage == "report":
            return {f"report.{kind}" for kind in kinds.names("report")}
        if stage in ("gate", "transfer", "layerwise", "calibrate", "survey", "multiverse", "local"):
            return set()
        if stage == "weights":
            return {f"fit.methods.{self.entry('fit', wildcards).kind}", "fit.designs.plain"}
        entry = self.entry(stage, wildcards)
        if stage in ("falsify", "compare"):
            return {f"falsify.{claim.kind}" for claim in entry.claims.values()}
        if stage == "fit":
            design = self._designed(wildcards)[0]
            return {f"fit.methods.{entry.kind}", f"fit.designs.{design.kind}"}
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
        """Files that an encoder is read from, if they lie here or will when its recipe is done."""
        entry = self.entry("embed", wildcards)
        twin = self._checkpoint(getattr(entry, "like", None), weights=False)
        return self._checkpoint(getattr(entry, "model", None)) + twin

    def ancestor(self, wildcards: object) -> list[str]:
        """Files of the smaller encoder that a recipe's grows from."""
        return self._checkpoint(self.entry("train", wildcards).grown_from)

    def _checkpoint(self, model: str | None, *, weights: bool = True) -> list[str]:
        """Every file that is read of a checkpoint on this machine; none of one on the hub."""
        folder = Path(model or "")
        if folder.parent == Path("results/encoders") and folder.name in self.recipes:
            return [str(folder / name) for name in TRAINED]
        here = shipped.folder(str(folder))
        if folder == Path() or not here:
            return []
        named = packaged if here.is_relative_to(shipped.ENCODERS) else str
        return [named(file) for file in checkpoints.files(here, weights=weights)]

    def seen(self, wildcards: object) -> list[str]:
        """Simulation, for a control that reads it; encoders see clips alone."""
        sees = getattr(self.entry("embed", wildcards), "SEES_SIMULATION", False)
        return [f"results/{wildcards.system}/simulation.zarr/{STORE}"] if sees else []

    @property
    def places(self) -> list[str]:
        """Systems, whose fits studies share, and whatever fits by a design of its own."""
        config = self.config
        designed = (config.comparisons, config.transfers, config.multiverses, config.local)
        return [*self.systems, *(name for section in designed for name in section)]

    def _designed(self, wildcards: object) -> tuple[Spec, list[str]]:
        """Design of a place's fits, and the systems that they are of."""
        config, place = self.config, wildcards.place
        if place in config.comparisons:
            together = kinds.load("fit/designs", "together").Spec()
            return together, list(config.comparisons[place].systems)
        if place in config.transfers:
            transfer = config.transfers[place]
            return transfer.design, self._scored(transfer)
        for section in (config.multiverses, config.local):
            if place in section:
                return section[place].design, [section[place].system]
        return kinds.load("fit/designs", "plain").Spec(), [place]

    def design(self, wildcards: object) -> str:
        """Canonical JSON of the design of a place's fits."""
        return self._designed(wildcards)[0].canonical()

    def fitted(self, wildcards: object) -> dict[str, list[str]]:
        """Embeddings and simulations of a fit, system by system."""
        stores = {"embeddings": f"embeddings/{wildcards.encoder}", "simulation": "simulation"}
        systems = self._designed(wildcards)[1]
        return {
            name: [f"results/{system}/{store}.zarr/{STORE}" for system in systems]
            for name, store in stores.items()
        }

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
        """What a law can be read off."""
        return self.config.with_grid()

    def surveyed(self, wildcards: object) -> list[str]:
        """Discoveries that are counted together."""
        discovery = self.config.discovery
        return [
            f"results/{system}/discovery/{source}.json"
            for system in discovery.systems
            for source in discovery.sources
        ]

    def source(self, wildcards: object) -> str:
        """Store that a law is read off."""
        folder = f"results/{wildcards.system}"
        stores = {"field": f"{folder}/simulation.zarr", "video": f"{folder}/clips.zarr"}
        name = wildcards.source
        return f"{stores.get(name, f'{folder}/embeddings/{name}.zarr')}/{STORE}"

    def evidence(self, wildcards: object) -> dict[str, list[str] | str]:
        """Everything that a study's scores are read from."""
        study = self.config.studies[wildcards.study]
        folder = f"results/{study.system}"
        names, spatial = [*study.encoders, *study.controls], self.config.with_tokens(study)
        return {
            "probes": [f"{folder}/fits/{name}.{study.probe}.json" for name in names],
            "koopman": [f"{folder}/fits/{name}.{study.koopman}.json" for name in names],
            "heads": [f"{folder}/fits/{name}.{study.head}.json" for name in spatial],
            "embeddings": [f"{folder}/embeddings/{name}.zarr/{STORE}" for name in names],
            "simulation": f"{folder}/simulation.zarr/{STORE}",
        }

    def contrasted(self, wildcards: object) -> dict[str, list[str]]:
        """Everything that a comparison's scores are read from."""
        name = wildcards.comparison
        asked = self.config.comparisons[name]
        probes = {name: asked.probe, **asked.parameters}
        encoders = [*asked.encoders, *asked.controls]
        first = asked.systems[0]
        shown = dict.fromkeys((*asked.systems, *asked.parameters))
        return {
            "probes": [
                f"results/{folder}/fits/{encoder}.{probe}.json"
                for folder, probe in probes.items()
                for encoder in encoders
            ],
            "koopman": [
                f"results/{folder}/fits/{encoder}.{asked.koopman}.json"
                for folder in (name, *asked.systems)
                for encoder in encoders
            ],
            "embeddings": [
                f"results/{first}/embeddings/{encoder}.zarr/{STORE}" for encoder in encoders
            ],
            "simulation": [f"results/{system}/simulation.zarr/{STORE}" for system in shown],
        }

    def contrasted_clips(self, wildcards: object) -> list[str]:
        """Clips of a comparison's systems."""
        systems = self.config.comparisons[wildcards.comparison].systems
        return [f"results/{system}/clips.zarr/{STORE}" for system in systems]

    def gated(self, wildcards: object) -> list[str]:
        """Probe results of a gate's encoders on all of its systems."""
        gate = self.config.gates[wildcards.gate]
        return [
            f"results/{system}/fits/{name}.{probe}.json"
            for system, probe in gate.probes.items()
            for name in (gate.encoder, *gate.random)
        ]

    def transferred(self, wildcards: object) -> dict[str, list[str]]:
        """Results of a transfer's encoders and controls, and the ordinary ones of its systems."""
        name, transfer = wildcards.transfer, self.config.transfers[wildcards.transfer]
        files = [
            f"{encoder}.{transfer.probe}.json"
            for encoder in (*transfer.encoders, *transfer.controls)
        ]
        systems = self._scored(transfer)
        return {
            "transferred": [f"results/{name}/fits/{file}" for file in files],
            "ordinary": [f"results/{system}/fits/{file}" for system in systems for file in files],
        }

    @staticmethod
    def _scored(transfer: configs.Transfer) -> list[str]:
        """Systems of a transfer, that which is scored first."""
        return [name for name in (transfer.onto, transfer.system) if name]

    def curves(self, wildcards: object) -> dict[str, list[str]]:
        """Probe results and embeddings of a layerwise figure's panels."""
        entry = self.config.layerwise[wildcards.layerwise]
        found = {"probes": [], "embeddings": []}
        for curve in entry.figures[wildcards.figure].values():
            folder, names = f"results/{curve.system}", entry.names(curve)
            found["probes"] += [f"{folder}/fits/{name}.{curve.probe}.json" for name in names]
            found["embeddings"] += [f"{folder}/embeddings/{name}.zarr/{STORE}" for name in names]
        return {key: list(dict.fromkeys(paths)) for key, paths in found.items()}

    def specifications(self, wildcards: object) -> list[str]:
        """Results of a multiverse's encoders and controls."""
        entry = self.config.multiverses[wildcards.multiverse]
        folder = f"results/{wildcards.multiverse}/fits"
        names = (*entry.encoders, *entry.controls)
        return [f"{folder}/{name}.{method}.json" for name in names for method in entry.methods]

    def located(self, wildcards: object) -> str:
        """Fit of one encoder's parts of the image."""
        entry = self.config.local[wildcards.local]
        return f"results/{wildcards.local}/fits/{wildcards.encoder}.{entry.method}.json"

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

    def compared_page(self, wildcards: object) -> dict[str, list[str]]:
        """What the page shows of comparisons, transfers, multiverses, laws and the calibration."""
        files = {
            "comparisons": "fit_metrics.json",
            "comparison_tables": "fit_results.csv",
            "comparison_falsifications": "falsification_metrics.json",
        }
        found = {
            key: [f"results/{name}/{file}" for name in self.comparisons]
            for key, file in files.items()
        }
        systems = dict.fromkeys(
            system for asked in self.config.comparisons.values() for system in asked.systems
        )
        found["comparison_clips"] = [f"results/{system}/clips.zarr/{STORE}" for system in systems]
        found["transfers"] = [f"results/transfers/{name}.json" for name in self.transfers]
        found["layerwise_tables"] = [
            f"results/{name}/{figure}.csv"
            for name, entry in self.config.layerwise.items()
            for figure in entry.figures
        ]
        found["multiverses"] = [f"results/{name}/multiverse.json" for name in self.multiverses]
        found["places"] = [f"{path}.json" for path in self._located()]
        found["surveys"] = ["results/discovery/metrics.json"] * bool(self.config.discovery.systems)
        found["calibrations"] = ["results/calibration.json"] * bool(self.config.calibration)
        return found

    def _located(self) -> list[str]:
        """Local results, without their ending."""
        return [
            f"results/{where}/local/{name}"
            for where, entry in self.config.local.items()
            for name in entry.encoders
        ]

    def shipped(self, wildcards: object) -> dict[str, list[str]]:
        """What is known of the encoders that ship with the package."""
        patterns = {"gates": "**/gate.json", "trainings": "**/training.csv"}
        return {
            key: sorted(packaged(file) for file in shipped.ENCODERS.glob(pattern))
            for key, pattern in patterns.items()
        }

    def everything(self, wildcards: object) -> list[str]:
        """What the page shows of every study, and what people take from it."""
        found = []
        for name, study in self.config.studies.items():
            found.append(f"results/{study.system}/preview.mp4")
            if study.head:
                found.append(f"results/{name}/{study.head}.safetensors")
        found += [f"results/transfers/{name}.png" for name in self.transfers]
        found += [f"results/{name}/multiverse.png" for name in self.multiverses]
        found += [f"{path}.png" for path in self._located()]
        for name, entry in self.config.layerwise.items():
            found += [f"results/{name}/{figure}.png" for figure in entry.figures]
            systems = {c.system for panels in entry.figures.values() for c in panels.values()}
            found += [f"results/{system}/preview.mp4" for system in systems]
        return sorted(set(found))

    def clips(self, wildcards: object) -> str:
        """Clips of a study's system."""
        return f"results/{self.config.studies[wildcards.study].system}/clips.zarr/{STORE}"
