"""Real handwritten digits, small enough to come with the package."""

from __future__ import annotations

import os

import numpy as np

import minitorch
from minitorch import Tensor

PATH = os.path.join(os.path.dirname(__file__), "digits.npz")


def digits() -> tuple[Tensor, Tensor]:
    """1,797 handwritten digits of 8×8 pixels, by 13 people, in the order of the file.

    Returns:
        images, float32 of shape ``(1797, 8, 8)``, from 0 (paper) to 1 (ink); and labels, int64 of shape ``(1797,)``.

    Source: Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository (1998),
    doi:10.24432/C50P49, CC BY 4.0.  More is in ``ATTRIBUTION.md`` beside this file.

    >>> images, labels = minitorch.datasets.digits()
    >>> images.shape, labels[:5]
    (torch.Size([1797, 8, 8]), tensor([0, 1, 2, 3, 4]))
    """
    with np.load(PATH) as file:
        images, labels = file["images"], file["labels"]
    return minitorch.from_numpy(images.astype(np.float32) / 16), minitorch.from_numpy(labels.astype(np.int64))
