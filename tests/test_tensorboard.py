"""Event files: checksums, messages, pictures; and what TensorBoard itself reads, where it is installed."""

import io
import struct
import zlib

import numpy as np
import pytest

import minitorch
from minitorch.utils.tensorboard import SummaryWriter, read_events
from minitorch.utils.tensorboard.events import crc32c, field, parse, record, varint
from minitorch.utils.tensorboard.writer import png


def summaries(directory):
    """(tag, value message, step) of all events."""
    found = []
    for path in sorted(directory.rglob("events.out.tfevents.*")):
        for event in list(read_events(str(path)))[1:]:
            (summary,), step = event[5], event.get(2, [None])[0]
            for value in parse(summary)[1]:
                value = parse(value)
                found.append((value[1][0].decode(), value, step))
    return found


def test_encoding():
    assert varint(0) == b"\0" and varint(1 << 35).hex() == "808080808001" and len(varint(-1)) == 10
    assert crc32c(b"") == 0 and crc32c(bytes(32)) == 0x8A9136AA
    message = field(1, 3) + field(2, 0.5) + field(3, "é") + field(4, [1.0, 2.0]) + field(20, b"x")
    assert parse(message) == {1: [3], 2: [struct.pack("<d", 0.5)], 3: ["é".encode()], 4: [struct.pack("<2d", 1, 2)],
                              20: [b"x"]}


def test_scalars(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for step in range(25):
            writer.add_scalar("loss", minitorch.tensor(1.0 / (step + 1)), step)
        writer.add_scalars("both", {"a": 1, "b": 2}, 3)
        assert writer.get_logdir() == str(tmp_path)
    found = summaries(tmp_path)
    losses = [struct.unpack("<f", value[2][0])[0] for tag, value, _ in found if tag == "loss"]
    np.testing.assert_allclose(losses, 1 / np.arange(1, 26), rtol=1e-6)
    assert [step for tag, _, step in found if tag == "loss"] == list(range(25))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["both_a", "both_b"]


def test_events_are_there_after_a_flush(tmp_path):
    writer = SummaryWriter(tmp_path, max_queue=100)
    writer.add_scalar("x", 1, 0)
    assert not summaries(tmp_path)
    writer.flush()
    assert len(summaries(tmp_path)) == 1
    writer.close()


def test_histograms(tmp_path):
    values = np.random.default_rng(0).standard_normal(1000)
    with SummaryWriter(tmp_path) as writer:
        writer.add_histogram("auto", values, 1, bins="auto")
        writer.add_histogram("tf", minitorch.tensor(values), 1)
        writer.add_histogram("few", values, 1, max_bins=5)
        with pytest.raises(ValueError, match="no finite values"):
            writer.add_histogram("none", minitorch.tensor([float("nan")]))
    for _, value, _ in summaries(tmp_path):
        histogram = parse(value[5][0])
        counts, limits = (np.frombuffer(histogram[k][0]) for k in (7, 6))
        low, high, number, total = (struct.unpack("<d", histogram[k][0])[0] for k in (1, 2, 3, 4))
        assert counts.sum() == number == 1000 and len(counts) == len(limits) and (np.diff(limits) > 0).all()
        np.testing.assert_allclose([low, high, total], [values.min(), values.max(), values.sum()])
        inside = np.searchsorted(np.sort(values), limits, side="right")
        if value[1][0] == b"tf":
            np.testing.assert_array_equal(counts.cumsum(), inside)


def decode(data):
    """A PNG without filters."""
    at, chunks = 8, {}
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + size]
        assert struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] == zlib.crc32(kind + body)
        chunks[kind], at = body, at + 12 + size
    width, height, depth, color = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {0: 1, 2: 3, 6: 4}[color]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, 1 + width * channels)
    assert depth == 8 and not rows[:, 0].any()
    return rows[:, 1:].reshape(height, width, channels)


@pytest.mark.parametrize(("shape", "order", "size"), [
    ((3, 4, 5), "CHW", (4, 5, 3)), ((4, 5, 3), "HWC", (4, 5, 3)), ((4, 5), "HW", (4, 5, 1)),
    ((2, 1, 4, 5), "NCHW", (4, 10, 1)), ((10, 4, 5, 3), "NHWC", (8, 40, 3)), ((4, 4, 5), "CHW", (4, 5, 4)),
])
def test_images(tmp_path, shape, order, size):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    with SummaryWriter(tmp_path) as writer:
        writer.add_image("bytes", pixels, 2, dataformats=order)
        writer.add_image("floats", minitorch.tensor(pixels / 255.0 + 1e-4), dataformats=order)
    (_, one, step), (_, two, _) = summaries(tmp_path)
    image = parse(one[4][0])
    picture = decode(image[4][0])
    assert step == 2 and picture.shape == size and image[1] + image[2] + image[3] == list(size)
    np.testing.assert_array_equal(picture, decode(parse(two[4][0])[4][0]))
    if order == "CHW":
        np.testing.assert_array_equal(picture, pixels.transpose(1, 2, 0))


def test_pictures_are_png_files():
    image = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint8)
    np.testing.assert_array_equal(np.asarray(image.open(io.BytesIO(png(pixels)))), pixels)


def test_texts_and_hyperparameters(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        writer.add_text("notes", "**bold**", 4)
        writer.add_hparams({"lr": 0.1, "name": "adam", "bias": True}, {"accuracy": 0.9}, {"lr": [0.1, 0.2]}, "run")
        with pytest.raises(ValueError, match="int, float, str, bool"):
            writer.add_hparams({"x": [1]}, {})
    found = {tag: value for tag, value, _ in summaries(tmp_path)}
    assert parse(found["notes/text_summary"][8][0])[8] == [b"**bold**"]
    assert {f"_hparams_/{part}" for part in ("experiment", "session_start_info", "session_end_info")} <= found.keys()
    assert "accuracy" in found


def test_refusals_and_damage(tmp_path):
    with SummaryWriter(tmp_path) as writer:
        for call, error in [
            (lambda: writer.add_image("x", np.zeros((2, 4, 4))), ValueError),
            (lambda: writer.add_image("x", np.zeros((4, 4))), ValueError),
            (lambda: writer.add_graph(None), NotImplementedError),
            (lambda: writer.add_histogram_raw("x", 0, 1, 1, 1, 1, [1, 2], [1]), ValueError),
            (lambda: SummaryWriter(tmp_path, purge_step=3), NotImplementedError),
        ]:
            with pytest.raises(error):
                call()
    path = tmp_path / "broken"
    path.write_bytes(record(field(1, 1.0))[:-1] + b"x")
    with pytest.raises(ValueError, match="damaged"):
        list(read_events(str(path)))


def test_tensorboard_reads_them(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", 0.25, 7)
        writer.add_histogram("weights", np.arange(10.0), 1)
        writer.add_image("digit", np.zeros((1, 8, 8)), 1)
        writer.add_text("notes", "text", 1)
        writer.add_hparams({"lr": 0.1, "name": "x", "on": False}, {"acc": 1.0}, {"lr": [0.1, 0.2]}, "run")
    seen = {}
    for path in tmp_path.rglob("events*"):
        for event in loader.LegacyEventFileLoader(str(path)).Load():
            for value in event.summary.value:
                seen[value.tag] = value
    assert seen["loss"].simple_value == 0.25 and seen["weights"].histo.num == 10 and seen["digit"].image.height == 8
    assert seen["notes/text_summary"].tensor.string_val[0] == b"text"
    from tensorboard.plugins.hparams import plugin_data_pb2

    data = plugin_data_pb2.HParamsPluginData.FromString(
        seen["_hparams_/experiment"].metadata.plugin_data.content)
    assert [info.name for info in data.experiment.hparam_infos] == ["lr", "name", "on"]
    assert data.experiment.metric_infos[0].name.tag == "acc" and len(
        data.experiment.hparam_infos[0].domain_discrete.values) == 2
    start = plugin_data_pb2.HParamsPluginData.FromString(
        seen["_hparams_/session_start_info"].metadata.plugin_data.content).session_start_info
    assert start.hparams["lr"].number_value == 0.1 and start.hparams["name"].string_value == "x"
