"""`SummaryWriter`: scalars, histograms, images, texts and hyperparameters."""

from __future__ import annotations

import math
import os
import socket
import struct
import time
import zlib
from typing import Any

import numpy as np

from minitorch import Tensor

from .events import EventFile, field, single

STRING = 7  # the number of the type, of a tensor of texts


class SummaryWriter:
    """Writes what TensorBoard shows into a directory: ``tensorboard --logdir runs``.

    Args:
        log_dir: the directory of this run; by default one in ``runs`` named by time and machine.
        comment: added to the default directory's name.
        purge_step: not supported: TensorBoard would forget what an earlier run wrote from this step on.
        max_queue: events to collect before they are written.
        flush_secs: seconds after which they are written with the next event.
        filename_suffix: added to the file's name.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory, SummaryWriter(directory) as writer:
    ...     for step in range(3):
    ...         writer.add_scalar("loss", 1 / (step + 1), step)
    """

    def __init__(
        self,
        log_dir: str | os.PathLike | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
    ) -> None:
        if purge_step is not None:
            raise NotImplementedError("SummaryWriter: purge_step is not supported; write to another log_dir")
        if log_dir is None:
            log_dir = os.path.join("runs", time.strftime("%b%d_%H-%M-%S_") + socket.gethostname() + comment)
        self.log_dir = str(log_dir)
        self._options = (max_queue, flush_secs, filename_suffix)
        self._files: dict[str, EventFile] = {}
        self._file(self.log_dir)

    def _file(self, directory: str) -> EventFile:
        if directory not in self._files:
            self._files[directory] = EventFile(directory, *self._options)
        return self._files[directory]

    def _add(self, tag: str, value: bytes, step: int | None, walltime: float | None, plugin: bytes = b"",
             directory: str | None = None) -> None:
        """An event with one value, whose field and numbers are given."""
        metadata = field(9, plugin) if plugin else b""
        self._file(directory or self.log_dir).add(field(1, field(1, tag) + value + metadata), step, walltime)

    def get_logdir(self) -> str:
        """The directory."""
        return self.log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: int | None = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
    ) -> None:
        """A number, a point of the curve called `tag`.

        Args:
            new_style, double_precision: accepted; a curve is of float32 numbers either way.
        """
        self._add(tag, single(2, float(scalar_value)), global_step, walltime)

    def add_scalars(
        self, main_tag: str, tag_scalar_dict: dict[str, Any], global_step: int | None = None,
        walltime: float | None = None,
    ) -> None:
        """Points of several curves in one picture; each is a run in a directory of its own."""
        for tag, value in tag_scalar_dict.items():
            directory = os.path.join(self.log_dir, f"{main_tag.replace('/', '_')}_{tag}")
            self._add(main_tag, single(2, float(value)), global_step, walltime, directory=directory)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: int | None = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """How values are distributed.

        Args:
            bins: ``"tensorflow"``, whose bins grow by a tenth from one to the next, or what `numpy.histogram` takes.
            max_bins: join neighbours until there are at most so many.
        """
        array = _array(values).astype(np.float64).reshape(-1)
        array = array[np.isfinite(array)]
        if array.size == 0:
            raise ValueError(f"add_histogram: {tag!r} has no finite values")
        counts, limits = np.histogram(array, bins=_growing_bins() if isinstance(bins, str) and bins == "tensorflow"
                                      else bins)
        if max_bins is not None and len(counts) > max_bins:
            step = -(-len(counts) // max_bins)
            counts = np.add.reduceat(counts, np.arange(0, len(counts), step))
            limits = np.append(limits[:-1][::step], limits[-1])
        self.add_histogram_raw(tag, array.min(), array.max(), array.size, array.sum(), (array * array).sum(),
                               limits[1:], counts, global_step, walltime)

    def add_histogram_raw(
        self, tag: str, min: float, max: float, num: int, sum: float, sum_squares: float, bucket_limits: Any,
        bucket_counts: Any, global_step: int | None = None, walltime: float | None = None,
    ) -> None:
        """A histogram that was computed elsewhere: the upper limits of its bins, and how many are in each."""
        if len(bucket_limits) != len(bucket_counts):
            raise ValueError("len(bucket_limits) != len(bucket_counts), see the document.")
        limits, counts = np.asarray(bucket_limits, np.float64), np.asarray(bucket_counts, np.float64)
        used = np.flatnonzero(counts)
        if used.size:  # an empty bin on either side, so that the outer ones have a width
            first, last = used[0] - 1 if used[0] else 0, used[-1] + 1
            limits, counts = limits[first:last + 1], counts[first:last + 1]
        message = b"".join(field(number, float(value)) for number, value in enumerate(
            (min, max, num, sum, sum_squares), 1))
        self._add(tag, field(5, message + field(6, limits.tolist()) + field(7, counts.tolist())), global_step, walltime)

    def add_image(
        self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """A picture: bytes, or floats from 0 to 1, of 1, 3 or 4 channels.

        Args:
            dataformats: the order of its dimensions, of N, C, H and W; N pictures are put side by side, 8 in a row.
        """
        image = _pixels(_array(img_tensor), dataformats)
        height, width, channels = image.shape
        message = field(1, height) + field(2, width) + field(3, channels) + field(4, png(image))
        self._add(tag, field(4, message), global_step, walltime)

    def add_images(
        self, tag: str, img_tensor: Any, global_step: int | None = None, walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Several pictures."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_figure(
        self, tag: str, figure: Any, global_step: int | None = None, close: bool = True, walltime: float | None = None
    ) -> None:
        """A figure of matplotlib, or several in a list; they are closed after that."""
        for one in figure if isinstance(figure, (list, tuple)) else [figure]:
            one.canvas.draw()
            self.add_image(tag, np.asarray(one.canvas.buffer_rgba()), global_step, walltime, "HWC")
            if close:
                import matplotlib.pyplot

                matplotlib.pyplot.close(one)

    def add_text(
        self, tag: str, text_string: str, global_step: int | None = None, walltime: float | None = None
    ) -> None:
        """A text, in Markdown."""
        tensor = field(1, STRING) + field(2, field(2, field(1, 1))) + field(8, text_string)
        self._add(f"{tag}/text_summary", field(8, tensor), global_step, walltime, _plugin("text"))

    def add_hparams(
        self,
        hparam_dict: dict[str, Any],
        metric_dict: dict[str, Any],
        hparam_domain_discrete: dict[str, list] | None = None,
        run_name: str | None = None,
        global_step: int | None = None,
    ) -> None:
        """The hyperparameters of a run and the measures it reached, for the table of all runs.

        Raises:
            ValueError: for a hyperparameter that is no number, bool or text.
        """
        if not isinstance(hparam_dict, dict) or not isinstance(metric_dict, dict):
            raise TypeError("hparam_dict and metric_dict should be dictionary.")
        infos, values = b"", b""
        for name, value in hparam_dict.items():
            kind, encoded = _hyperparameter(name, value)
            infos += field(4, field(1, name) + field(4, kind) + _domain((hparam_domain_discrete or {}).get(name)))
            values += field(1, field(1, name) + field(2, encoded))
        for name in metric_dict:
            infos += field(5, field(1, field(2, name)))
        directory = os.path.join(self.log_dir, run_name or str(time.time()))
        for tag, content in (
            ("_hparams_/experiment", field(2, infos)),
            ("_hparams_/session_start_info", field(3, values)),
            ("_hparams_/session_end_info", field(4, field(1, 1))),  # a success
        ):
            self._add(tag, b"", None, None, _plugin("hparams", field(1, 0) + content), directory)
        for name, value in metric_dict.items():
            self._add(name, single(2, float(value)), global_step, None, directory=directory)

    def _refuse(self, name: str, instead: str) -> None:
        raise NotImplementedError(f"SummaryWriter.{name} is not supported; {instead}")

    def add_graph(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        self._refuse("add_graph", "utils.summary shows a model's layers")

    def add_embedding(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        self._refuse("add_embedding", "draw its first two components with add_figure")

    def add_audio(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        self._refuse("add_audio", "write a file with the wave module of Python")

    def add_video(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        self._refuse("add_video", "add_images shows the frames")

    def add_pr_curve(self, *args: Any, **kwargs: Any) -> None:
        """Not supported."""
        self._refuse("add_pr_curve", "draw the curve with add_figure")

    def flush(self) -> None:
        """Write what was collected."""
        for file in self._files.values():
            file.flush()

    def close(self) -> None:
        """Write what was collected, and end."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _array(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() else values).numpy()
    return np.asarray(values)


def _plugin(name: str, content: bytes = b"") -> bytes:
    return field(1, field(1, name) + (field(2, content) if content else b""))


def _growing_bins() -> np.ndarray:
    positive = 1e-12 * 1.1 ** np.arange(math.ceil(math.log(1e32) / math.log(1.1)))
    return np.concatenate([-positive[::-1], [0.0], positive])


def _hyperparameter(name: str, value: Any) -> tuple[int, bytes]:
    """The number of its type, and the value as a message."""
    if isinstance(value, (bool, np.bool_)):
        return 2, field(4, bool(value))
    if isinstance(value, str):
        return 1, field(3, value)
    if isinstance(value, (int, float, np.number, Tensor)):
        return 3, field(2, float(value))
    raise ValueError(f"value should be one of int, float, str, bool, or torch.Tensor, but {name!r} is "
                     f"{type(value).__name__}")


def _domain(values: list | None) -> bytes:
    return b"" if values is None else field(5, b"".join(field(1, _hyperparameter("domain", v)[1]) for v in values))


def _pixels(array: np.ndarray, dataformats: str) -> np.ndarray:
    """Bytes of shape (height, width, channels)."""
    dataformats = dataformats.upper()
    letters = set(dataformats)
    if not len(dataformats) == len(letters) == array.ndim or not set("HW") <= letters <= set("NCHW"):
        raise ValueError(f"add_image: dataformats {dataformats!r} does not fit an array of shape {array.shape}")
    order = [dataformats.index(letter) for letter in "NHWC" if letter in dataformats]
    array = array.transpose(order)
    if "N" not in dataformats:
        array = array[None]
    if "C" not in dataformats:
        array = array[..., None]
    if array.dtype != np.uint8:
        array = (np.nan_to_num(array.astype(np.float64)) * 255).clip(0, 255).astype(np.uint8)
    if array.shape[-1] not in (1, 3, 4):
        raise ValueError(f"add_image: a picture has 1, 3 or 4 channels, not {array.shape[-1]}: the array is "
                         f"{array.shape} in {dataformats}")
    return _side_by_side(array)


def _side_by_side(images: np.ndarray, columns: int = 8) -> np.ndarray:
    n, height, width, channels = images.shape
    columns = max(min(n, columns), 1)
    rows = -(-n // columns)
    blank = np.zeros((rows * columns - n, height, width, channels), images.dtype)
    grid = np.concatenate([images, blank]).reshape(rows, columns, height, width, channels)
    return grid.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)


def png(image: np.ndarray) -> bytes:
    """A picture, bytes of shape (height, width, channels), as a PNG file.

    >>> png(np.zeros((2, 2, 1), np.uint8))[:4]
    b'\\x89PNG'
    """
    height, width, channels = image.shape

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = np.concatenate([np.zeros((height, 1), np.uint8), image.reshape(height, width * channels)], 1)  # no filters
    color = {1: 0, 3: 2, 4: 6}[channels]
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b""))
