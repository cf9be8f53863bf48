"""The data sets that come with the package."""

import gzip

import numpy as np
import pytest

import minitorch
from minitorch import datasets


def test_digits():
    images, labels = datasets.digits()
    assert images.shape == (1797, 8, 8) and images.dtype == minitorch.float32
    assert labels.shape == (1797,) and labels.dtype == minitorch.int64
    assert images.min() == 0 and images.max() == 1 and ((images * 16) % 1 == 0).all()
    assert [int((labels == k).sum()) for k in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    assert round(float(images.double().mean()) * 16, 6) == 4.884165  # of the original file


def test_moons():
    points, classes = datasets.moons(101, noise=0.0)
    assert points.shape == (101, 2) and classes.tolist() == [0] * 51 + [1] * 50
    first = points[:51]
    assert ((first.square().sum(1) - 1).abs() < 1e-5).all() and (first[:, 1] > -1e-5).all()
    second = points[51:] - minitorch.tensor([1.0, 0.5])
    assert ((second.square().sum(1) - 1).abs() < 1e-5).all() and (second[:, 1] < 1e-5).all()


def test_spirals():
    points, classes = datasets.spirals(90, 3, noise=0.0)
    assert points.shape == (90, 2) and [int((classes == k).sum()) for k in range(3)] == [30, 30, 30]
    radius = points.square().sum(1).sqrt()
    assert (radius[1:] > radius[:-1]).all() and float((radius[-1] - 1).abs()) < 1e-5


def test_made_data_follow_the_generator():
    for make in (datasets.moons, datasets.spirals):
        generators = [minitorch.Generator(minitorch.get_default_device()).manual_seed(4) for _ in range(2)]
        one, two = (make(30, generator=generator)[0] for generator in generators)
        assert (one == two).all() and not (make(30)[0] == one).all()


def write_idx(path, array, code, pack=bytes):
    header = bytes([0, 0, code, array.ndim]) + np.asarray(array.shape, ">u4").tobytes()
    path.write_bytes(pack(header + array.tobytes()))


def test_idx_files(tmp_path):
    for code, dtype in ((8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")):
        array = np.arange(24).reshape(2, 3, 4).astype(dtype)
        for pack in (bytes, gzip.compress):
            write_idx(tmp_path / "x", array, code, pack)
            read = datasets.idx(tmp_path / "x").numpy()
            assert read.dtype == np.dtype(dtype).newbyteorder("=") and (read == array).all()
    for wrong in (b"", b"\0\0\x08", b"\0\0\x07\1\0\0\0\1x", b"\0\0\x08\1\0\0\0\5xy", b"\0\0\x08\3\0\0\0\5"):
        (tmp_path / "x").write_bytes(wrong)
        with pytest.raises(ValueError, match="idx"):
            datasets.idx(tmp_path / "x")


def test_mnist(tmp_path):
    images, labels = np.arange(2 * 784).reshape(2, 28, 28).astype(np.uint8), np.array([3, 7], np.uint8)
    folder = tmp_path / "raw"
    folder.mkdir()
    with pytest.raises(FileNotFoundError, match="downloads nothing"):
        datasets.mnist(tmp_path)
    write_idx(folder / "train-images-idx3-ubyte.gz", images, 8, gzip.compress)
    write_idx(folder / "train-labels-idx1-ubyte", labels, 8)
    x, y = datasets.mnist(tmp_path)
    assert x.shape == (2, 1, 28, 28) and x.dtype == minitorch.float32 and y.tolist() == [3, 7]
    np.testing.assert_allclose(x.numpy()[:, 0], images / 255.0, rtol=1e-6)


def test_cifar(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(1, 6):
        rows = rng.integers(0, 256, (2, 3073), dtype=np.uint8)
        rows[:, 0] = i
        (tmp_path / f"data_batch_{i}.bin").write_bytes(rows.tobytes())
    x, y = datasets.cifar10(tmp_path)
    assert x.shape == (10, 3, 32, 32) and y.tolist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5] and x.min() >= 0 and x.max() <= 1
    np.testing.assert_allclose(x[-1].numpy().reshape(-1), rows[-1, 1:] / 255.0, rtol=1e-6)
    rows = np.zeros((1, 3074), np.uint8)
    rows[0, :2] = 4, 60
    (tmp_path / "test.bin").write_bytes(rows.tobytes())
    assert datasets.cifar100(tmp_path, train=False)[1].tolist() == [60]
    (tmp_path / "test_batch.bin").write_bytes(b"short")
    with pytest.raises(ValueError, match="5 bytes"):
        datasets.cifar10(tmp_path, train=False)


def test_csv(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a, b\n1,2.5\n\n,-3e2\n", encoding="utf-8")
    table, names = datasets.csv(path)
    np.testing.assert_array_equal(table.numpy(), np.float32([[1, 2.5], [np.nan, -300]]))
    assert names == ["a", "b"]
    path.write_text("1;2\n3;4", encoding="utf-8")
    table, names = datasets.csv(path, ";")
    assert table.tolist() == [[1, 2], [3, 4]] and names == []
    for text, message in (("1,2\n3\n", "line 2 .* has 1 entries, not 2"), ("1,2\n3,x\n", "'x' in line 2")):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            datasets.csv(path)


def test_image_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folders of classes"):
        datasets.ImageFolder(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
    with pytest.raises(FileNotFoundError, match="no images of cat, dog"):
        datasets.ImageFolder(tmp_path)
    from minitorch.utils.tensorboard.writer import png

    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    for place in ("cat/1.png", "dog/2.png", "dog/10.png", "dog/notes.txt"):
        (tmp_path / place).write_bytes(png(pixels))
    folder = datasets.ImageFolder(tmp_path)
    assert folder.classes == ["cat", "dog"] and folder.targets == [0, 1, 1] and len(folder) == 3
    try:
        import PIL.Image
    except ImportError:
        with pytest.raises(ImportError, match="pip install pillow"):
            folder[0]
        return
    image, label = folder[2]
    assert label == 1 and image.shape == (3, 4, 6)
    np.testing.assert_allclose(image.numpy(), pixels.transpose(2, 0, 1) / 255.0, rtol=1e-6)
    assert datasets.ImageFolder(tmp_path, lambda i: i.size, lambda n: -n)[1] == ((6, 4), -1) and PIL


def test_texts():
    text = datasets.sonnets()
    assert len(text.split("\n\n")) == 12 and text.isascii() and all(
        len(sonnet.strip().splitlines()) == 14 for sonnet in text.split("\n\n"))
    names = datasets.names()
    assert len(names) > 500 and names == sorted(set(names)) and all(name.isalpha() and name.islower() for name in names)
