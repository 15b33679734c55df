"""Pool: hidden states of every layer in one forward pass, averaged over space where they arise."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor, nn


@contextmanager
def hooked(
    modules: Mapping[str, "nn.Module"],
    grid: tuple[int, int],
    *,
    tokens: Collection[str] = (),
    ahead: int = 0,
    last: bool = False,
) -> Iterator[tuple[dict[str, "Tensor"], dict[str, "Tensor"]]]:
    """Collect hidden states from the forward pass that is made inside the ``with``.

    Nothing but means (and the tokens asked for) outlives the layer that made it.

    Parameters
    ----------
    modules : mapping of str to Module
        Layer and the module that gives it: (clip, token, feature), alone or first of a tuple;
        tokens run over time, y, x, after those ``ahead``.
    grid : tuple of int
        (y, x): tokens per side.
    tokens : collection of str
        Layers whose spatial tokens are kept too.
    ahead : int
        Tokens in front of the spatial ones, such as a class token; they are left out.
    last : bool
        Keep the last time only.

    Yields
    ------
    pooled : dict of str to Tensor
        (clip, time, feature) float32, on the device.
    spatial : dict of str to Tensor
        (clip, time, y, x, feature), on the device.
    """
    pooled, spatial = {}, {}

    def keep(layer: str, output: "Tensor | tuple") -> None:
        hidden = output[0] if isinstance(output, tuple) else output
        hidden = hidden[:, ahead:].unflatten(1, (-1, *grid))
        hidden = hidden[:, -1:] if last else hidden
        pooled[layer] = hidden.float().mean((2, 3))
        if layer in tokens:
            spatial[layer] = hidden

    handles = [
        module.register_forward_hook(lambda _, __, output, layer=layer: keep(layer, output))
        for layer, module in modules.items()
    ]
    try:
        yield pooled, spatial
    finally:
        for handle in handles:
            handle.remove()
