"""Data consistency: results that agree with what was measured."""
from dataclasses import dataclass, replace
from typing import Any, Callable, Optional, Sequence, Union

from ..errors import ConfigError, building
from ..operators import DownsamplingOperator, LinearOperator, MaskOperator
from ..operators.base import WrappedOperator
from .components import build as build_component
from .hooks import Hooks

NAMES = ('mask', 'downsampling', 'blur')
EVERY = ('step', 'last')
HOW = ('name one: mask, downsampling or blur, or in Python an object with the '
       'methods A, A_adjoint and A_dagger')


@dataclass(frozen=True)
class DataConsistency:
    """Settings of data consistency.

    The estimate of x0 is projected on the images that a known linear
    degradation A maps to the degraded image (range-null space decomposition,
    Wang et al., ICLR 2023).

    Args:
        operator: A :class:`LinearOperator`; another object with the methods
            of ``deepinv.physics.LinearPhysics``; or one of :data:`NAMES`. By
            default, the operator that matches the degradation of the model.
        every (str): 'step' projects the estimate in each step and the result,
            'last' only the result.
        sigma (float): Standard deviation in [0, 1] of the noise in the
            degraded image, see :meth:`LinearOperator.project`.

    Raises:
        ConfigError: If an argument is invalid.
    """

    operator: Union[None, str, LinearOperator] = None
    every: str = 'step'
    sigma: float = 0.

    def __post_init__(self) -> None:
        if self.every not in EVERY:
            raise ConfigError("data_consistency: every must be 'step' or "
                              f"'last', but got {self.every!r}.")
        if isinstance(self.sigma, (bool, str)) or not 0 <= self.sigma <= 1:
            raise ConfigError('data_consistency: sigma must be a number from '
                              f'0 to 1, but got {self.sigma!r}.')
        if isinstance(self.operator, str) and self.operator not in NAMES:
            raise ConfigError('data_consistency: unknown operator '
                              f'{self.operator!r}; {HOW}.')

    def for_model(self, degradation: Sequence[dict],
                  upscale: int) -> 'DataConsistency':
        """Return the settings with an operator for a model.

        Args:
            degradation: Configs of the transforms that degraded its training
                images.
            upscale (int): Its scale factor.

        Raises:
            ConfigError: If there is no operator, or it needs a kernel.
        """
        if isinstance(self.operator, LinearOperator):
            return self
        step = single_step(degradation)
        kind = str(step.get('type')).removeprefix('irsde_mm.')
        name = self.operator or dict(
            KeepMask='mask', LowResolution='downsampling',
            MotionBlur='blur').get(kind)
        if name == 'mask' and step.get('color') != 'random':
            color = step.get('color', 255) if kind == 'KeepMask' else 255
            return replace(self, operator=MaskOperator(color=color))
        if name == 'downsampling' and upscale > 1:
            kernel = step.get('kernel', 'bicubic') \
                if kind == 'LowResolution' else 'bicubic'
            return replace(self, operator=DownsamplingOperator(
                upscale, kernel))
        raise ConfigError('data_consistency: ' + dict(
            mask='the holes have a random color; give the mask (--mask, '
            'MaskOperator(mask=)).', blur='blur needs its kernel (--kernel, '
            'BlurOperator(kernel)).', downsampling='the model does not '
            'enlarge images.').get(
                name, f'no operator is known for this model; {HOW}.'))


def single_step(degradation: Sequence[dict]) -> dict:
    """Return the config of the only transform that degrades images besides
    ``Upsample``, or an empty dict."""
    steps = [step for step in degradation
             if step.get('type') != 'irsde_mm.Upsample']
    return steps[0] if len(steps) == 1 else {}


def data_consistency(value: Any, build: Optional[Callable] = None
                     ) -> Optional[DataConsistency]:
    """Convert an option to settings of data consistency.

    Args:
        value: None or False for none; True; an operator or its name; a dict
            with the arguments of :class:`DataConsistency`, where the operator
            may be a config; or settings.
        build: Function that builds an operator from a config; by default,
            from the components of the package.

    Raises:
        ConfigError: If the option is invalid.
    """
    if value is None or value is False:
        return None
    if isinstance(value, DataConsistency):
        return value
    if value is True:
        value = {}
    if not isinstance(value, dict):
        value = dict(operator=value)
    with building('data_consistency'):
        return DataConsistency(**dict(value, operator=as_operator(
            value.get('operator'), build)))


def as_operator(operator: Any, build: Optional[Callable]) -> Any:
    """Return an operator for a config, an object or a name."""
    if isinstance(operator, dict):
        operator = build(operator) if build else build_component(
            operator, LinearOperator)
    if operator is None or isinstance(operator, (str, LinearOperator)):
        return operator
    return WrappedOperator(operator)


def check_hooks(hooks: Hooks, name: str) -> None:
    """Check that a process runs on images.

    Raises:
        ConfigError: If it does not.
    """
    if (hooks.downscale != 1 or type(hooks).encode is not Hooks.encode
            or type(hooks).decode is not Hooks.decode):
        raise ConfigError(
            f'{name} does not support data_consistency, because its process '
            'does not run on images, so a step has no estimate of the clean '
            'image.')
