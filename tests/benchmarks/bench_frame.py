"""A colour-mapped frame by look-up table against matplotlib's imshow and savefig."""

import io

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
from _bench import compare
from matplotlib.colors import Normalize

from physprobe.render import fields
from physprobe.simulate import heat

FRAMES = 4


def simulated(frames: int = 64) -> np.ndarray:
    """Field of one clip."""
    system = heat.Spec(clips=1, frames=frames)
    return heat.field(system, {name: label[0] for name, label in heat.draw(system).items()})


def check(frames: int = 2) -> str:
    """Gate: the bytes are matplotlib's own."""
    spec, field = fields.Spec(), simulated(frames)
    expected = matplotlib.colormaps[spec.colormap](
        Normalize(spec.low, spec.high)(field), bytes=True
    )
    if not np.array_equal(fields.frames(spec, field), expected[..., :3]):
        raise SystemExit("gate: the colours are not those of matplotlib")
    return f"gate: {len(field)} frames of 256 x 256 have the bytes of matplotlib's colormap"


def main() -> None:
    """Check, then time both."""
    spec, field = fields.Spec(), simulated()
    print(check(len(field)))

    def drawn() -> None:
        for values in field[:FRAMES]:
            figure, axes = plt.subplots()
            axes.imshow(values, cmap=spec.colormap, vmin=spec.low, vmax=spec.high)
            axes.set(xticks=[], yticks=[])
            figure.savefig(io.BytesIO(), bbox_inches="tight", pad_inches=0)
            plt.close(figure)

    def looked_up() -> None:
        fields.frames(spec, field)

    compare("frame", 9, look_up_table=(looked_up, len(field)), imshow_savefig=(drawn, FRAMES))


if __name__ == "__main__":
    main()
