"""How images are to be restored."""
from dataclasses import dataclass
from typing import Any, Callable, List, Optional, Union

from ..datasets.image_reader import MAX_PIXELS
from ..errors import ConfigError
from ..samplers.base import Sampler
from .inference import choose_sampler
from .restoration import Progress
from .restoring import check_seed


@dataclass
class Options:
    """What :class:`RestorationInferencer` may be asked for.

    Args:
        sampler: A preset, a name, a config or a sampler, see
            :func:`choose_sampler`; by default the model's own.
        steps (int, optional): Network calls for an image.
        seed (int, optional): Chooses among the possible results; by default
            the test seed and the name of the file do.
        batch_size (int, optional): Most images restored together; by default
            a megapixel of them.
        samples (int): Draws of each image; draw i is what ``seed + i`` gives.
        trajectory (bool): Whether to keep states on the way back.
        compare (bool): Whether to draw degraded beside restored.
        out_dir (str): Folder for the results, nothing of which is written
            over; '' writes nothing.
        progress (callable, optional): Given a :class:`Progress` after every
            step.
        show_progress (bool): Whether to draw a bar of images and steps.
        max_pixels (int): What has more is refused.
        force (bool): Whether to restore large images although memory seems
            not to suffice.
    """
    sampler: Union[None, str, dict, Sampler] = None
    steps: Optional[int] = None
    seed: Optional[int] = None
    batch_size: Optional[int] = None
    samples: int = 1
    trajectory: bool = False
    compare: bool = False
    out_dir: str = ''
    progress: Optional[Callable[[Progress], Any]] = None
    show_progress: bool = True
    max_pixels: int = MAX_PIXELS
    force: bool = False

    def for_model(self, model) -> 'Options':
        """These options, with the sampler that they lead to in a model.

        Raises:
            ConfigError: If one is of no use, or not with this model.
        """
        for name in ('batch_size', 'samples', 'max_pixels'):
            value = getattr(self, name)
            if name == 'batch_size' and value is None:
                continue
            if type(value) is not int:
                raise ConfigError(f'{name}={value!r} is no whole number.')
            if value < 1:
                raise ConfigError(f'{name}={value} is less than 1.')
        check_seed(self.seed)
        if hasattr(model, 'sampler'):
            self.sampler = choose_sampler(model, self.sampler, self.steps)
            self.steps = None
        elif self.sampler is not None or self.steps is not None:
            choose_sampler(model, self.sampler, self.steps)
        elif self.samples > 1 or self.trajectory:
            raise ConfigError(f'{type(model).__name__} is no diffusion model: '
                              'it has one result, and no states before it.')
        return self

    def calls(self, model) -> int:
        """Network calls for one draw of an image, at most."""
        if not hasattr(model, 'sampler'):
            return 1
        return self.sampler.num_steps or model.sde.num_steps

    @property
    def pictures(self) -> List[str]:
        """What is drawn of each image."""
        asked = dict(compare=self.compare, states=self.trajectory,
                     spread=self.samples > 1)
        return [kind for kind, wanted in asked.items() if wanted]
