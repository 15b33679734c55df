"""Decoder: draw the frame that a frozen embedding is of, and how far forecasts can be drawn.

    D = argmin sum (x[t] - D(z[t]))^2    over training clips and all times

x[t] is the last frame of token t, gray and small; D is one linear layer and transposed
convolutions. It is trained by Adam, a cosine of the learning rate, and stops where validation
clips among the training ones get no better. It is fitted once: to the training clips of the first
outer fold, or of the split that the system declares.

    skill  1 - SSE / SSE of the training clips' mean image: most of a sparse image is background,
           so a small ``mse`` alone says little
    iou    what is foreground in both over what is in either, above half of the brightest pixel
    psnr   peak signal-to-noise ratio [dB], and ``ssim``, structural similarity, of frames that were
           seen: means over frames; see ``statistics.similarity``

With ``clean`` D is trained to draw the frames of another rendering of the same clips than was
embedded. What it returns is then an image without what was added to it, a denoised one, and no
reconstruction of what went in; ``embedded`` is what went in, scored alike.

Of latents that the encoder's own predictor has rolled on from held-out starts the same is told by
``horizon``, beside the last frame that was seen (``copy_last``), the ``mean_image``, a linear map
of two frames' principal components (``dmd``) and, where the system has an equation that can be
solved from any state, the frames that its renderer makes of two forecasts of states, ``state_mlp``
and ``equation``: see ``_forecasts``. No forecast that is drawn by D can be expected to undercut
``reconstruction``, D of the latents of the frames themselves.

    state_error  mean absolute error [rad] of each angle that is read off what is drawn, by a small
                 convolutional network that was fitted to training frames as they were rendered;
                 its own error is that of ``frames``, and pi / 2 is that of chance
"""

from typing import ClassVar, Literal

from physprobe.fit.methods._decoder_settings import Settings
from physprobe.fit.section import Given


class Spec(Settings):
    """A small convolutional decoder of frozen latents."""

    ROLE = "decoder"
    ROLLS = True
    FILMED = True
    MOVES = True
    TRAINED: ClassVar[bool] = True

    kind: Literal["decoder"] = "decoder"
    """Frames from the last layer's tokens."""

    @property
    def also(self) -> str:
        """System that nothing is fitted to."""
        return self.abroad

    @property
    def films(self) -> str:
        """System whose frames are drawn."""
        return self.clean


def fit(spec: Spec, given: Given) -> tuple[list[dict], dict]:
    """Rows and the block ``decoder``.

    Returns
    -------
    rows : list of dict
        By ``model``, and of forecasts by ``horizon``: ``mse`` of pixels from 0 to 1, ``skill``
        against a ``baseline``, ``iou``; of frames that were seen ``psnr`` and ``ssim``; by
        ``target`` the ``state_error`` [rad]; with intervals over held-out clips, fits held fixed.
    blocks : dict
        ``decoder``: held-out ``clip``, its ``group`` and ``error`` of reconstruction,
        ``scores``, squared errors by model and horizon summed over each clip's frames, and
        ``shown``: frames of a few of them, by the rule that they are chosen by; ``abroad``, where
        another system is named, the same of its clip.

    Raises
    ------
    ValueError
        If there are no frames, or a latent is not finite.
    """
    from physprobe.fit.methods import _decoded

    return _decoded.fit(spec, given)
