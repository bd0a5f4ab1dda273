"""Selection of the device."""
from typing import Optional

import torch

from ..errors import ConfigError


def check_device(device: Optional[str]) -> torch.device:
    """Return a device after checking that it is available.

    Args:
        device (str, optional): 'cpu', 'cuda', 'cuda:1', ...; by default the
            first GPU if there is one, otherwise the CPU.

    Raises:
        ConfigError: If the device is unknown or not available.
    """
    if device is None:
        device = 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=device)
        return torch.device(device)
    except (RuntimeError, AssertionError) as error:
        raise ConfigError(f"the device '{device}' cannot be used: "
                          f'{str(error).splitlines()[0]}') from None
