"""Options of the inferencer."""
from dataclasses import dataclass
from typing import Any, Callable, List, Optional

from ..errors import ConfigError
from ..inference import ImagePipeline, Progress
from ..inference.image_pipeline import Choice, check_seed
from ..inference.intervals import calibration_for
from ..io.reader import MAX_PIXELS
from ..io.white_level import check_white


@dataclass
class Options:
    """Options of :class:`RestorationInferencer`.

    Args:
        sampler: A preset, a name, a config or a sampler, see
            :meth:`ImagePipeline.choose_sampler`; by default that of the
            model.
        steps (int, optional): Number of network calls per image.
        seed (int, optional): Seed of the noise; by default derived from the
            test seed and the file name.
        crispness (float, optional): From 0, the mean of the possible images,
            to 1.5, exaggerated detail; 1, the default, is a sample. See
            :meth:`ImagePipeline.restore_batch`.
        batch_size (int, optional): Maximum number of images restored
            together; by default, as many as fit in a megapixel.
        samples (int): Number of draws per image; draw i equals the result of
            ``seed + i``.
        trajectory (bool): Whether to keep states of the sampling trajectory.
        compare (bool): Whether to draw degraded and restored side by side.
        interval (float, optional): Level from 0.5 to 0.99 of pixel intervals
            of the first draw, for a model with a calibration
            (tools/calibrate.py).
        out_dir (str): Folder for the results, where existing files are never
            overwritten; '' writes nothing.
        data_consistency: Whether, and how, results agree with the degraded
            images, see :func:`data_consistency`; by default, the setting of
            the model, which is usually none.
        callback (callable, optional): Called with a :class:`Progress` after
            every step.
        show_progress (bool): Whether to show a progress bar.
        max_pixels (int): Larger images are rejected.
        white (int, optional): White level of files with 16 bits per channel,
            255 to 65535, such as 4095 for 12-bit data. Default: 65535, with a
            warning for files that use at most 14 bits. Results have 8 bits.
        force (bool): Whether to restore large images even if the memory is
            estimated to be insufficient.
    """
    sampler: Choice = None
    steps: Optional[int] = None
    seed: Optional[int] = None
    crispness: Optional[float] = None
    batch_size: Optional[int] = None
    samples: int = 1
    trajectory: bool = False
    compare: bool = False
    interval: Optional[float] = None
    out_dir: str = ''
    data_consistency: Any = None
    callback: Optional[Callable[[Progress], Any]] = None
    show_progress: bool = True
    max_pixels: int = MAX_PIXELS
    white: Optional[int] = None
    force: bool = False

    def for_pipeline(self, pipeline: ImagePipeline) -> 'Options':
        """Validate the options and resolve the sampler for a pipeline.

        Raises:
            ConfigError: If an option is out of range or not supported by the
                model.
        """
        for name in ('batch_size', 'samples', 'max_pixels'):
            value = getattr(self, name)
            if name == 'batch_size' and value is None:
                continue
            if type(value) is not int:
                raise ConfigError(f'{name}={value!r} must be an integer.')
            if value < 1:
                raise ConfigError(f'{name}={value} is less than 1.')
        check_seed(self.seed)
        check_white(self.white)
        self.sampler = pipeline.choose_sampler(self.sampler, self.steps)
        self.steps = None
        pipeline.choose_dial(self.crispness, self.sampler)
        self.data_consistency = pipeline.choose_consistency(
            self.data_consistency) or False
        if self.sampler is None and (self.samples > 1 or self.trajectory):
            raise ConfigError(f'{pipeline.name} is not a diffusion model: it '
                              'supports neither samples nor trajectory.')
        if self.interval is not None:
            self._check_interval()
            calibration_for(pipeline.calibration, self.interval, self.sampler,
                            pipeline.self_ensemble)
        return self

    def _check_interval(self) -> None:
        """Reject options that change the results measured in calibration."""
        for name in ('crispness', 'data_consistency'):
            if getattr(self, name) not in (None, False):
                raise ConfigError(f'interval does not support {name}, because '
                                  'the calibration holds for the results of '
                                  'the model as it is; omit one of them.')

    @property
    def pictures(self) -> List[str]:
        """Kinds of visualizations to draw for each image."""
        kinds = dict(compare=self.compare, states=self.trajectory,
                     spread=self.samples > 1, **dict.fromkeys(
                         ('lower', 'upper', 'width'),
                         self.interval is not None))
        return [kind for kind, enabled in kinds.items() if enabled]
