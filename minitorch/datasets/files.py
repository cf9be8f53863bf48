"""Readers for data sets that are on the disk already: nothing is downloaded."""

from __future__ import annotations

import csv as _csv
import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minitorch
from minitorch import Tensor
from minitorch.utils.data import Dataset

IDX_TYPES = {8: ">u1", 9: ">i1", 11: ">i2", 12: ">i4", 13: ">f4", 14: ">f8"}


def idx(path: str | os.PathLike) -> Tensor:
    """A file in the format of MNIST: a type, a shape, and the numbers.  It may be compressed with gzip.

    Raises:
        ValueError: if it is not such a file, or too short.
    """
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES:
        raise ValueError(f"idx: {path} is not an IDX file: it begins with {data[:4]!r}")
    dtype, ndim = np.dtype(IDX_TYPES[data[2]]), data[3]
    start = 4 + 4 * ndim
    if len(data) < start:
        raise ValueError(f"idx: {path} ends in its header")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", ndim, 4))
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if len(data) != start + size:
        raise ValueError(f"idx: {path} has {len(data) - start} bytes of numbers, where its shape {shape} needs {size}")
    return minitorch.from_numpy(np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("=")))


def _find(root: str | os.PathLike, names: list[str], what: str, where: str) -> Path:
    """The first of these files that is there, in the folder or anywhere below it."""
    for name in names:
        for path in (Path(root, name), *sorted(Path(root).rglob(name))):
            if path.is_file():
                return path
    raise FileNotFoundError(f"{what}: there is no {names[0]} in {os.fspath(root)}; minitorch downloads nothing: get "
                            f"the files from {where} and give the folder they are in")


def mnist(root: str | os.PathLike, train: bool = True) -> tuple[Tensor, Tensor]:
    """Handwritten digits, or what else is in MNIST's format, such as Fashion-MNIST and KMNIST, from a folder.

    Args:
        root: where ``train-images-idx3-ubyte`` and the three others are, compressed with gzip or not.
        train: the 60,000 images for training, or the 10,000 for testing.

    Returns:
        images, float32 of shape ``(n, 1, 28, 28)`` from 0 to 1, and labels, int64 of shape ``(n,)``.

    Raises:
        FileNotFoundError: if they are not there; it says where to get them.

    Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*.
    """
    part, where = "train" if train else "t10k", "https://github.com/zalandoresearch/fashion-mnist or a mirror of MNIST"
    found = []
    for kind in ("images-idx3", "labels-idx1"):
        name = f"{part}-{kind}-ubyte"
        dotted = f"{part}-{kind.replace('-idx', '.idx')}-ubyte"
        found.append(idx(_find(root, [name, name + ".gz", dotted, dotted + ".gz"], "mnist", where)))
    images, labels = found
    return images.unsqueeze(1).float() / 255, labels.long()


def cifar10(root: str | os.PathLike, train: bool = True) -> tuple[Tensor, Tensor]:
    """Small photographs of ten kinds of things, from a folder with the binary version.

    Args:
        root: where ``data_batch_1.bin`` to ``data_batch_5.bin`` and ``test_batch.bin`` are.
        train: the 50,000 images for training, or the 10,000 for testing.

    Returns:
        images, float32 of shape ``(n, 3, 32, 32)`` from 0 to 1, and labels, int64 of shape ``(n,)``.

    Raises:
        FileNotFoundError: if they are not there; it says where to get them.

    Source: Krizhevsky, *Learning multiple layers of features from tiny images* (2009).
    """
    names = [f"data_batch_{i}.bin" for i in range(1, 6)] if train else ["test_batch.bin"]
    return _cifar(root, names, 1, "cifar10", "cifar-10-binary.tar.gz")


def cifar100(root: str | os.PathLike, train: bool = True) -> tuple[Tensor, Tensor]:
    """Small photographs of a hundred kinds of things, from a folder with the binary version: as `cifar10`.

    Args:
        root: where ``train.bin`` and ``test.bin`` are.
    """
    return _cifar(root, ["train.bin" if train else "test.bin"], 2, "cifar100", "cifar-100-binary.tar.gz")


def _cifar(root: str | os.PathLike, names: list[str], labels: int, what: str, archive: str) -> tuple[Tensor, Tensor]:
    parts, row = [], labels + 3 * 32 * 32
    for name in names:
        path = _find(root, [name], what, f"{archive} at https://www.cs.toronto.edu/~kriz/cifar.html")
        data = np.fromfile(path, np.uint8)
        if data.size == 0 or data.size % row:
            raise ValueError(f"{what}: {path} has {data.size} bytes, which are not images of {row} bytes")
        parts.append(data.reshape(-1, row))
    rows = np.concatenate(parts)
    images = rows[:, labels:].reshape(-1, 3, 32, 32).astype(np.float32) / 255
    return minitorch.from_numpy(images), minitorch.from_numpy(rows[:, labels - 1].astype(np.int64))


def csv(path: str | os.PathLike, delimiter: str = ",", header: bool | None = None) -> tuple[Tensor, list[str]]:
    """A table of numbers; what is empty becomes NaN.

    Args:
        header: whether the first line has the columns' names; by default, if it has a word in it.

    Returns:
        the numbers, float32 of shape ``(rows, columns)``, and the columns' names, or none.

    Raises:
        ValueError: for a word among the numbers, or a row of another length; it says where.
    """
    with open(path, newline="", encoding="utf-8-sig") as file:
        lines = [(reader.line_num, row) for reader in [_csv.reader(file, delimiter=delimiter)] for row in reader if row]
    names: list[str] = []
    if lines and (header or (header is None and not all(map(_is_number, lines[0][1])))):
        names = [name.strip() for name in lines.pop(0)[1]]
    width = len(names) if names else len(lines[0][1]) if lines else 0
    table = np.empty((len(lines), width), np.float32)
    for i, (line, row) in enumerate(lines):
        if len(row) != width:
            raise ValueError(f"csv: line {line} of {path} has {len(row)} entries, not {width}")
        for j, text in enumerate(row):
            if not _is_number(text):
                raise ValueError(f"csv: {text!r} in line {line} of {path} is not a number")
            table[i, j] = float(text) if text.strip() else np.nan
    return minitorch.from_numpy(table), names


def _is_number(text: str) -> bool:
    try:
        float(text or "nan")
    except ValueError:
        return not text.strip()
    return True


class ImageFolder(Dataset[Any]):
    """Images in a folder, in which each class has a folder of its own.  Needs Pillow: ``pip install pillow``.

    Args:
        root: the folder.
        transform: makes a sample of a `PIL.Image`; by default a tensor, float32 of ``(3, height, width)`` from 0 to 1.
        target_transform: makes a target of the class's number.
        extensions: of the files to use.

    Attributes:
        classes: the folders' names, in order.
        samples: (file, number of its class) of all images.

    Raises:
        FileNotFoundError: if there are no classes, or none of an image.
    """

    def __init__(
        self,
        root: str | os.PathLike,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        extensions: tuple[str, ...] = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"),
    ) -> None:
        self.root, self.transform, self.target_transform = os.fspath(root), transform, target_transform
        self.classes = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
        if not self.classes:
            raise FileNotFoundError(f"ImageFolder: there are no folders of classes in {self.root}")
        self.class_to_idx = {name: i for i, name in enumerate(self.classes)}
        self.samples = [
            (str(path), number)
            for name, number in self.class_to_idx.items()
            for path in sorted(Path(root, name).rglob("*"))
            if path.suffix.lower() in extensions
        ]
        self.targets = [number for _, number in self.samples]
        empty = set(self.class_to_idx.values()) - set(self.targets)
        if empty:
            raise FileNotFoundError("ImageFolder: there are no images of "
                                    f"{', '.join(self.classes[i] for i in sorted(empty))} in {self.root}")

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        path, number = self.samples[index]
        image = (self.transform or _to_tensor)(_open(path))
        return image, number if self.target_transform is None else self.target_transform(number)


def _open(path: str) -> Any:
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError("ImageFolder needs Pillow to read images: pip install pillow") from error
    with Image.open(path) as image:
        return image.convert("RGB")


def _to_tensor(image: Any) -> Tensor:
    return minitorch.from_numpy(np.asarray(image).transpose(2, 0, 1).astype(np.float32) / 255)
