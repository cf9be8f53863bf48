"""A program as users write them, for type checkers: `.ci/run` has mypy check it; it runs too."""

from typing import TYPE_CHECKING, Any

import minitorch as torch
import minitorch.nn.functional as F
from minitorch import Tensor, nn
from minitorch.utils.data import DataLoader, TensorDataset

if TYPE_CHECKING:
    from typing import assert_type
else:

    def assert_type(value: Any, kind: Any) -> None:
        assert isinstance(value, kind), (value, kind)


class Net(nn.Module):
    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.first = nn.Linear(4, width)
        self.body = nn.Sequential(nn.LayerNorm(width), nn.GELU(), nn.Dropout(0.1), nn.Linear(width, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.body(F.relu(self.first(x)))


@torch.no_grad()
def accuracy(net: nn.Module, x: Tensor, y: Tensor) -> float:
    net.eval()
    return (net(x).argmax(dim=-1) == y).float().mean().item()


def train() -> float:
    torch.manual_seed(0)
    x, y = torch.randn(12, 4), torch.randint(0, 3, (12,))
    net = Net()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1)
    for batch, targets in DataLoader(TensorDataset(x, y), batch_size=5, shuffle=True):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(batch), targets)
        assert_type(loss, Tensor)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
    schedule.step()
    assert_type(net.first.weight, nn.Parameter)
    return accuracy(net, x, y)


def tensors() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert_type(x.shape, torch.Size)
    assert_type(x.dtype, torch.dtype)
    assert_type(x @ x.T + 1, Tensor)
    assert_type(x[:, None, 0], Tensor)
    assert_type(torch.cat([x, x], dim=1), Tensor)
    assert_type(torch.softmax(x, -1).sum(dim=0, keepdim=True), Tensor)
    assert_type(x.numel(), int)
    with torch.no_grad(), torch.autograd.set_detect_anomaly(True):
        torch.linalg.svd(x)
    with torch.inference_mode():
        assert x.mean() == 2.5
    torch._foreach_add([x, x], 1.0)
    assert (x.to(torch.float64) * 2).max().item() == 10.0


if __name__ == "__main__":
    assert 0 <= train() <= 1
    tensors()
