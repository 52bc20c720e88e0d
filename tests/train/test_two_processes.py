"""A training on two processes is the training on one with the same global batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason='trains: pip install "unscatter[train]"')
pytest.importorskip("lightning_fabric", reason='trains: pip install "unscatter[train]"')

SCRIPT = '''
"""A session that fits a line of twelve numbers; each process sees its share of every batch."""
import sys
from pathlib import Path

import torch
from torch import nn

from unscatter.train.session import Session, SessionOptions


class Data:
    """Batch n holds 8 rows, the same whoever asks; a process takes its part of them."""

    records = ()

    def batches(self, place):
        n = place.first
        while True:
            random = torch.Generator().manual_seed(n)
            x = torch.randn(8, 12, generator=random)
            yield x[place.rank :: place.world], (x.sum(1, keepdim=True) * 0.5 + 0.1)[place.rank :: place.world]
            n += 1


class Fit:
    """Least squares by plain descent."""

    def __init__(self, fabric):
        torch.manual_seed(0)
        self.plain, self.fabric = nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 1)), fabric
        self.network, self.optimizer = fabric.setup(self.plain, torch.optim.AdamW(self.plain.parameters(), 1e-2))

    modules = property(lambda self: {"network": self.plain})
    optimizers = property(lambda self: {"optimizer": self.optimizer})

    def update(self, batch, progress):
        loss = ((self.network(batch[0]) - batch[1]) ** 2).mean()
        self.fabric.backward(loss)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return {"loss": float(loss.detach())}

    def validate(self):
        return {}

    def picture(self):
        return None


if __name__ == "__main__":
    options = SessionOptions(out=Path(sys.argv[1]), devices=int(sys.argv[2]), steps=25, minutes=10, threads=1)
    session = Session(options, Data(), "test", {})
    session.run(Fit(session.fabric))
'''


def test_two_processes_learn_what_one_learns_from_the_same_batches(tmp_path: Path) -> None:
    script = tmp_path / "fit.py"
    script.write_text(SCRIPT)
    for devices in (1, 2):
        command = [sys.executable, str(script), str(tmp_path / str(devices)), str(devices)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, env=dict(os.environ))
        assert done.returncode == 0, done.stderr
    from safetensors.torch import load_file

    one, two = (load_file(tmp_path / str(devices) / "checkpoint.safetensors") for devices in (1, 2))
    assert one.keys() == two.keys()
    for name in (name for name in one if name.startswith("network")):
        torch.testing.assert_close(one[name], two[name], rtol=1e-4, atol=1e-5)
