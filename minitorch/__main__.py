"""``python -m minitorch`` trains a network on handwritten digits; ``... doctor`` looks at what it runs on."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import minitorch
from minitorch import Tensor, nn, optim
from minitorch.datasets import digits
from minitorch.utils.data import DataLoader, TensorDataset, random_split
from minitorch.utils.progress import Progress

SHADES = " .:-=+*#%@"  # from paper to ink
NEXT = """What to try next:
  python -m minitorch --seed 1     other digits held out, other weights to start from
  python -m minitorch --epochs 5   how much of that did the last epochs do?
  python -m minitorch doctor       what this machine runs on
The program is {file}, {lines} lines; copy it and change the network."""


def network() -> nn.Sequential:
    """Two hidden layers; dropout keeps them from learning the 1,347 digits by heart."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, 512), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(512, 512), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(512, 10),
    )  # fmt: skip


def train(model: nn.Module, loader: DataLoader, epochs: int, device: str) -> None:
    """Fit the model to the loader's images and labels."""
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.1)
    progress = Progress(range(epochs), "training")
    model.train()
    for _ in progress:
        total = 0.0
        for images, labels in loader:
            images, labels = images.to(device), labels.to(device)
            noisy = images + 0.2 * minitorch.randn_like(images)  # no two epochs see the same image
            loss = loss_of(model(noisy), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item()
        schedule.step()
        progress.note = f"loss {total / len(loader):.3f}"


@minitorch.no_grad()
def predict(model: nn.Module, images: Tensor) -> Tensor:
    """The most likely digit of each image."""
    model.eval()
    return model(images).argmax(1)


def draw(images: Tensor, captions: Sequence[str]) -> str:
    """Images side by side in grey characters, two a pixel, each over its caption."""
    levels = (images * (len(SHADES) - 1)).round().to(minitorch.int64).tolist()
    rows = ["   ".join("".join(2 * SHADES[level] for level in image[y]) for image in levels) for y in range(8)]
    return "\n".join([*rows, "   ".join(caption.center(16) for caption in captions)])


def run(epochs: int, seed: int, device: str = "cpu") -> float:
    """Train, test and show; returns the share of digits read right."""
    start = time.perf_counter()
    minitorch.manual_seed(seed)
    data = TensorDataset(*digits())
    held_out, rest = random_split(data, [0.25, 0.75])
    print(f"Handwritten digits: {len(rest):,} to learn from, {len(held_out):,} held out to test with.")
    model = network().to(device)
    train(model, DataLoader(rest, batch_size=50, shuffle=True), epochs, device)
    images, labels = next(iter(DataLoader(held_out, batch_size=len(held_out))))
    read = predict(model, images.to(device)).cpu()
    right = read == labels
    share = right.double().mean().item()
    print(f"{share:.1%} of the held-out digits read right ({int(right.sum())} of {len(labels)}), "
          f"{time.perf_counter() - start:.1f} s in all.\n")
    wrong = [i for i, ok in enumerate(right.tolist()) if not ok]
    shown = [*(i for i in range(len(labels)) if i not in wrong)][:3] + wrong[:1]
    captions = [f"read {read[i]}, is {labels[i]}" if i in wrong else f"read {read[i]}" for i in shown]
    print(draw(images[shown], captions), "\n")
    return share


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m minitorch", description="Train a network on handwritten digits.")
    parser.add_argument("command", nargs="?", choices=["train", "doctor"], default="train",
                        help="train the network (if nothing is given), or say what minitorch runs on and what to do "
                        "about each problem")
    parser.add_argument("--epochs", type=int, default=30, help="how often to go through the digits (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of all random choices (%(default)s)")
    parser.add_argument("--device", default="cpu", help="where to train: cpu, or cuda (%(default)s)")
    parser.add_argument("--version", action="version", version=f"minitorch {minitorch.__version__}")
    options = parser.parse_args(arguments)
    if options.command == "doctor":
        from minitorch import doctor

        return doctor.main()
    if options.epochs < 1:
        parser.error("--epochs must be at least 1")
    run(options.epochs, options.seed, options.device)
    with open(__file__, encoding="utf-8") as source:
        print(NEXT.format(file=__file__, lines=len(source.readlines())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
