"""Init: write a folder of one's own, in which Snakemake runs by the rules of this package.

What people change is copied: ``config.yaml``, studies and profiles. What belongs to this version is
not: the Snakefile includes that of the package, so that rules, library and fingerprints are of one
version, and one that is installed over it reruns what its changed code says, as in a checkout.
"""

import os
from pathlib import Path

from physprobe.config import installation
from physprobe.init import _films
from physprobe.store import files, log

COPIED = (
    "config.yaml",
    "profiles",
    "workflow/config.schema.json",
    "workflow/profiles",
    "workflow/studies",
)
OWN = "films.yaml"
SNAKEFILE = '''\
"""The workflow of physprobe, whose rules come with the package; config.yaml is yours."""

from physprobe.config.installation import repository


include: repository("Snakefile")


# What is made where nothing is asked for: an included file doesn't say.
rule everything:
    default_target: True
    input:
        rules.all.input,
'''
IGNORED = "results/\n.snakemake/\n"


def run(folder: Path = Path(), *, films: str | None = None, spec: str = "{}") -> None:
    """Write a folder of your own, in which ``snakemake results/heat/fit_metrics.json`` runs.

    It gets config.yaml and the studies, which you may change, Snakemake's profiles, and a Snakefile
    that includes the rules of this package. Nothing that is there already is written over.

    Parameters
    ----------
    folder : Path
        New, or without files of these names; by default the one where you are.
    films : str, optional
        Folder of films, or a table of them: ``films.yaml`` is then a first study of them. Every
        film is read to its end for it.
    spec : str
        JSON of further fields of its entry of kind ``films``, such as {"leave_out": ["box.mp4"]}.

    Raises
    ------
    ValueError
        If a file is there already, or films can't be used.
    """
    found = contents()
    if films is not None:
        found[Path(OWN)] = _films.study(films, spec, folder).encode()
    there = sorted(str(path) for path in found if os.path.lexists(folder / path))
    if there:
        more = f" and {len(there) - 1} more" * (len(there) > 1)
        raise ValueError(
            f"{folder}: holds {there[0]}{more} already. Hint: physprobe init NAME makes a folder"
            " that is new, and nothing is written over."
        )
    for path, content in found.items():
        files.write_bytes(folder / path, content)
        if path.suffix == ".sh":
            (folder / path).chmod(0o755)
    enter = "" if folder == Path() else f"cd {folder} && "
    target = "results/heat/fit_metrics.json"
    if films is not None:
        target = f"results/{_films.STUDY}/report.html --configfile {OWN}"
    log.done(f"{folder}: {len(found)} files. Next: {enter}snakemake --cores 2 {target}")


def contents() -> dict[Path, bytes]:
    """What every such folder holds, by path."""
    found = {Path("Snakefile"): SNAKEFILE.encode(), Path(".gitignore"): IGNORED.encode()}
    root = installation.repository()
    for name in COPIED:
        place = root / name
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file():
                found[path.relative_to(root)] = path.read_bytes()
    return found
