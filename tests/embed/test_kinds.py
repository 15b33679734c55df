"""Every family is found, and costs next to nothing to import when the config is read."""

import subprocess
import sys

from physprobe.config import kinds


def test_families():
    assert kinds.names("embed") == (
        "huggingface",
        "pixels",
        "position",
        "statistics",
        "untrained",
    )


def test_import_needs_no_heavy_library():
    code = (
        "import sys\n"
        "from physprobe.config import kinds\n"
        "for kind in kinds.names('embed'):\n"
        "    family = kinds.load('embed', kind)\n"
        "    fields = {'model': 'a/b'} if kind == 'huggingface' else {}\n"
        "    family.tubelet(family.Spec(**fields))\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'scipy', 'xarray', 'zarr'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
