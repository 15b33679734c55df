"""Every family is found, and costs next to nothing to import when the config is read."""

import subprocess
import sys

from physprobe.config import kinds


def test_families():
    assert kinds.names("embed") == (
        "channel_statistics",
        "channels",
        "density",
        "elapsed",
        "equation",
        "fields",
        "huggingface",
        "kalman",
        "latent",
        "linear_models",
        "pixels",
        "points",
        "position",
        "precomputed",
        "projection",
        "python",
        "recording",
        "rendering",
        "signal",
        "statistics",
        "timm",
        "twin",
        "untrained",
    )


def test_import_needs_no_heavy_library():
    code = (
        "import sys\n"
        "from physprobe.config import kinds\n"
        "for kind in kinds.names('embed'):\n"
        "    family = kinds.load('embed', kind)\n"
        "    needed = {'huggingface': {'model': 'a/b'}, 'twin': {'weights': 'random'}}\n"
        "    needed['python'] = {'model': 'examples/own_encoder.py:build'}\n"
        "    needed['precomputed'] = {'file': 'none.npz', 'system': 'heat'}\n"
        "    needed['timm'] = {'model': 'vit'}\n"
        "    for trained in ('fields', 'latent', 'linear_models', 'points'):\n"
        "        needed[trained] = {'model': 'a'}\n"
        "    fields = needed.get(kind, {})\n"
        "    spec = family.Spec(**fields)\n"
        "    family.tubelet(spec), list(family.problems(spec)), spec.listing()\n"
        "heavy = {'torch', 'transformers', 'huggingface_hub', 'scipy', 'xarray', 'zarr'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
