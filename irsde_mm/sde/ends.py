"""Start of sampling in the degraded image."""
from typing import Optional, Tuple, Union

from torch import Tensor

from .base import SDE, Generators


def refuse_start_noise(sde: SDE,
                       sigma: Union[None, float, str]) -> None:
    """Check that no noise level is requested for the start of a bridge.

    Raises:
        ValueError: If ``sigma`` is given and not 0.
    """
    if sigma and sde.starts_in_mu:
        raise ValueError(f'{type(sde).__name__} starts in the degraded image '
                         f'itself, so it cannot start with sigma={sigma}; '
                         'remove sigma.')


class EndsInMu:
    """Mixin for processes that end in mu itself: a_T = c_T = 0."""

    signal_at_end = noise_at_end = False
    starts_in_mu = True

    def start(self, mu: Tensor, generator: Generators = None,
              sigma: Optional[float] = None) -> Tuple[Tensor, int]:
        """Return mu and T. Draw no noise.

        Raises:
            ValueError: If ``sigma`` is given and not 0.
        """
        refuse_start_noise(self, sigma)
        return mu, self.num_steps
