"""Whole trainings from the same seed: the loss curve of a hundred steps is PyTorch's."""

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")

STEPS = 100
TEXT = ("It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, "
        "it was the epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of "
        "Darkness, it was the spring of hope, it was the winter of despair. ")  # Dickens, 1859
LETTERS = sorted(set(TEXT))


def batches(length):
    codes = np.array([LETTERS.index(c) for c in TEXT])
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        starts = rng.integers(0, len(codes) - length - 1, 8)
        yield (np.stack([codes[s:s + length] for s in starts]), np.stack([codes[s + 1:s + length + 1] for s in starts]))


def curve(T, make, step, data, optimizer):
    T.manual_seed(0)
    model = make(T)
    optimizer = optimizer(T, model.parameters())
    losses = []
    for arrays in data:
        loss = step(T, model, *(T.tensor(a) for a in arrays))
        optimizer.zero_grad()
        loss.backward()
        T.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
    return losses


def assert_same_curve(make, step, data, optimizer):
    data = list(data)
    ours, theirs = (curve(T, make, step, data, optimizer) for T in (minitorch, torch))
    assert theirs[-1] < 0.9 * theirs[0]
    np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def next_letter(T, model, x, y):
    return T.nn.functional.cross_entropy(model(x).reshape(-1, len(LETTERS)), y.reshape(-1))


def test_lstm_language_model():
    def make(T):
        class Model(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.embed = T.nn.Embedding(len(LETTERS), 16)
                self.lstm = T.nn.LSTM(16, 32, num_layers=2, dropout=0.1, batch_first=True)
                self.head = T.nn.Linear(32, len(LETTERS))

            def forward(self, x):
                return self.head(self.lstm(self.embed(x))[0])

        return Model()

    assert_same_curve(make, next_letter, batches(20), lambda T, p: T.optim.Adam(p, lr=0.01))


def test_small_gpt():
    def make(T):
        F = T.nn.functional

        class Block(T.nn.Module):
            def __init__(self, width, heads):
                super().__init__()
                self.heads = heads
                self.norm1, self.norm2 = T.nn.LayerNorm(width), T.nn.LayerNorm(width)
                self.qkv, self.project = T.nn.Linear(width, 3 * width), T.nn.Linear(width, width)
                self.up, self.down = T.nn.Linear(width, 4 * width), T.nn.Linear(4 * width, width)
                self.drop = T.nn.Dropout(0.1)

            def forward(self, x):
                n, s, c = x.shape
                q, k, v = (t.view(n, s, self.heads, -1).transpose(1, 2) for t in self.qkv(self.norm1(x)).split(c, 2))
                y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
                x = x + self.project(y.transpose(1, 2).reshape(n, s, c))
                return x + self.drop(self.down(F.gelu(self.up(self.norm2(x)))))

        class Model(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.letters, self.places = T.nn.Embedding(len(LETTERS), 32), T.nn.Embedding(24, 32)
                self.blocks = T.nn.Sequential(Block(32, 4), Block(32, 4))
                self.norm, self.head = T.nn.LayerNorm(32), T.nn.Linear(32, len(LETTERS), bias=False)

            def forward(self, x):
                return self.head(self.norm(self.blocks(self.letters(x) + self.places(T.arange(x.shape[1])))))

        return Model()

    assert_same_curve(make, next_letter, batches(24), lambda T, p: T.optim.AdamW(p, lr=3e-3))


def test_variational_autoencoder():
    def make(T):
        class Model(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.encode = T.nn.Sequential(T.nn.Linear(64, 32), T.nn.ReLU(), T.nn.Linear(32, 8))
                self.decode = T.nn.Sequential(T.nn.Linear(4, 32), T.nn.ReLU(), T.nn.Linear(32, 64))

            def forward(self, x):
                mean, log_var = self.encode(x).chunk(2, 1)
                z = mean + T.randn_like(mean) * (0.5 * log_var).exp()
                return self.decode(z), mean, log_var

        return Model()

    def step(T, model, x):
        y, mean, log_var = model(x)
        rebuilt = T.nn.functional.binary_cross_entropy_with_logits(y, x, reduction="sum")
        return (rebuilt - 0.5 * (1 + log_var - mean**2 - log_var.exp()).sum()) / x.shape[0]

    images = minitorch.datasets.digits()[0].reshape(-1, 64).numpy()
    rng = np.random.default_rng(0)
    data = [(images[rng.integers(0, len(images), 32)],) for _ in range(STEPS)]
    assert_same_curve(make, step, data, lambda T, p: T.optim.Adam(p, lr=3e-3))


def test_transformer_encoder():
    def make(T):
        layer = T.nn.TransformerEncoderLayer(16, 4, 32, batch_first=True, norm_first=True)

        class Model(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.embed, self.encoder = T.nn.Embedding(len(LETTERS), 16), T.nn.TransformerEncoder(
                    layer, 2, enable_nested_tensor=False)
                self.head = T.nn.Linear(16, len(LETTERS))

            def forward(self, x):
                mask = T.nn.Transformer.generate_square_subsequent_mask(x.shape[1])
                return self.head(self.encoder(self.embed(x), mask=mask, is_causal=True))

        return Model()

    assert_same_curve(make, next_letter, batches(12), lambda T, p: T.optim.Adam(p, lr=0.005))


def test_small_resnet():
    def make(T):
        def convolution(i, o, size, stride=1):
            return T.nn.Conv2d(i, o, size, stride=stride, padding=size // 2, bias=False)

        class Block(T.nn.Module):
            def __init__(self, i, o, stride):
                super().__init__()
                self.first, self.second = convolution(i, o, 3, stride), convolution(o, o, 3)
                self.norm1, self.norm2 = T.nn.BatchNorm2d(o), T.nn.BatchNorm2d(o)
                self.skip = T.nn.Identity() if i == o else T.nn.Sequential(convolution(i, o, 1, stride),
                                                                           T.nn.BatchNorm2d(o))

            def forward(self, x):
                y = T.nn.functional.relu(self.norm1(self.first(x)))
                return T.nn.functional.relu(self.norm2(self.second(y)) + self.skip(x))

        class Model(T.nn.Module):
            def __init__(self):
                super().__init__()
                self.stem = T.nn.Sequential(convolution(1, 8, 3), T.nn.BatchNorm2d(8), T.nn.ReLU(inplace=True))
                self.blocks = T.nn.Sequential(Block(8, 8, 1), Block(8, 16, 2), Block(16, 16, 1))
                self.pool, self.head = T.nn.AdaptiveAvgPool2d(1), T.nn.Linear(16, 10)

            def forward(self, x):
                return self.head(self.pool(self.blocks(self.stem(x))).flatten(1))

        return Model()

    images, labels = (t.numpy() for t in minitorch.datasets.digits())
    rng = np.random.default_rng(0)
    chosen = [rng.integers(0, len(images), 16) for _ in range(STEPS)]
    data = [(images[k].reshape(-1, 1, 8, 8).astype(np.float32), labels[k].astype(np.int64)) for k in chosen]

    def step(T, model, x, y):
        return T.nn.functional.cross_entropy(model(x), y)

    assert_same_curve(make, step, data, lambda T, p: T.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-4))
