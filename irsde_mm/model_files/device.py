"""Devices by name."""
from typing import Optional

import torch

from ..errors import ConfigError


def check_device(device: Optional[str]) -> torch.device:
    """The device of that name, or the best there is.

    Args:
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one.

    Raises:
        ConfigError: If it is unknown or not there.
    """
    if device is None:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"the device '{device}' cannot be used: "
                          f'{str(error).splitlines()[0]}') from None
