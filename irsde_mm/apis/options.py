"""How images are to be restored."""
from dataclasses import dataclass
from typing import Any, Callable, List, Optional

from ..errors import ConfigError
from ..inference import ImagePipeline, Progress
from ..inference.image_pipeline import Choice, check_seed
from ..io.reader import MAX_PIXELS
from ..io.white_level import check_white


@dataclass
class Options:
    """Options of :class:`RestorationInferencer`.

    Args:
        sampler: A preset, a name, a config or a sampler, see
            :meth:`ImagePipeline.choose_sampler`; by default the model's own.
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
        callback (callable, optional): Called with a :class:`Progress` after
            every step.
        show_progress (bool): Whether to draw a bar of images and steps.
        max_pixels (int): What has more is refused.
        white (int, optional): White level of files with 16 bits a channel,
            255 to 65535, such as 4095 for 12-bit data. By default 65535, with
            a warning for files that use no more than 14 bits. Results have 8
            bits.
        force (bool): Whether to restore large images although memory seems
            not to suffice.
    """
    sampler: Choice = None
    steps: Optional[int] = None
    seed: Optional[int] = None
    batch_size: Optional[int] = None
    samples: int = 1
    trajectory: bool = False
    compare: bool = False
    out_dir: str = ''
    callback: Optional[Callable[[Progress], Any]] = None
    show_progress: bool = True
    max_pixels: int = MAX_PIXELS
    white: Optional[int] = None
    force: bool = False

    def for_pipeline(self, pipeline: ImagePipeline) -> 'Options':
        """These options, with the sampler that they lead to in a model.

        Raises:
            ConfigError: If one is out of range, or does not fit the model.
        """
        for name in ('batch_size', 'samples', 'max_pixels'):
            value = getattr(self, name)
            if name == 'batch_size' and value is None:
                continue
            if type(value) is not int:
                raise ConfigError(f'{name}={value!r} must be a whole number.')
            if value < 1:
                raise ConfigError(f'{name}={value} is less than 1.')
        check_seed(self.seed)
        check_white(self.white)
        self.sampler = pipeline.choose_sampler(self.sampler, self.steps)
        self.steps = None
        if self.sampler is None and (self.samples > 1 or self.trajectory):
            raise ConfigError(f'{pipeline.name} is not a diffusion model: it '
                              'has one result, and no states before it.')
        return self

    @property
    def pictures(self) -> List[str]:
        """What is drawn of each image."""
        asked = dict(compare=self.compare, states=self.trajectory,
                     spread=self.samples > 1)
        return [kind for kind, wanted in asked.items() if wanted]
