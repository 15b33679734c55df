"""What a wheel holds beside the library: the workflow's own files, as ``physprobe/repository``.

A copy is made when a wheel is built, so that nothing is there twice; an editable installation
reads the repository itself. All else about the package is in ``pyproject.toml``.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CARRIED = ("Snakefile", "config.yaml", "envs", "examples", "profiles", "workflow")


def carried() -> list[Path]:
    """Files of the repository that runs need, by their paths in it."""
    found = (path for name in CARRIED for path in [Path(name), *Path(name).rglob("*")])
    hidden = (".", "__pycache__")
    return sorted(
        path
        for path in found
        if path.is_file() and not any(part.startswith(hidden) for part in path.parts)
    )


class Build(build_py):
    """The library's modules and data, and the workflow's files."""

    def run(self) -> None:
        """Copy them into the folder that a wheel is made of."""
        super().run()
        if self.editable_mode:
            return
        for path in carried():
            target = Path(self.build_lib, "physprobe", "repository", path)
            self.mkpath(str(target.parent))
            self.copy_file(str(path), str(target))

    def get_source_files(self) -> list[str]:
        """What a source distribution has to hold."""
        return [*super().get_source_files(), *map(str, carried())]


setup(cmdclass={"build_py": Build})
