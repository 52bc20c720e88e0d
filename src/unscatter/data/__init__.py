"""Tables, weights and recipes as files."""

from importlib.util import find_spec
from pathlib import Path


def training_file(name: str) -> Path:
    """Path of a file that only training and simulation need, "order_bank.npz" or "weights/group-230.safetensors".

    Raises FileNotFoundError, with the command to type, where the package that holds them is not installed.
    """
    spec = find_spec("unscatter_training_data")
    if spec is None or spec.origin is None:
        raise FileNotFoundError(
            f'{name} comes with the training data, which is not installed; type: pip install "unscatter[train]" '
            "(in a clone: pip install -c constraints.txt -e training-data)"
        )
    return Path(spec.origin).parent / name
