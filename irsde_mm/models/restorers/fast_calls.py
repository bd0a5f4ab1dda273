"""Network calls in testing: the same results in less time."""
import warnings
from contextlib import contextmanager
from typing import (Any, Callable, Dict, Iterable, Iterator, List, Optional,
                    Tuple, Union)

import torch
from torch import Tensor, nn

from ...errors import ConfigError
from ..networks import ConditionalNAFNet, ConditionalUNet
from ..networks.blocks import with_times
from ..networks.folding import fold

MODES = ('default', 'reduce-overhead', 'max-autotune',
         'max-autotune-no-cudagraphs')
#: Fewer pixels than this take longer folded: there operations count, not
#: memory.
SMALL = 2**15
DTYPES = dict(fp16=torch.float16, bf16=torch.bfloat16)


class FastCalls:
    """Makes networks ready for the calls of one restoration.

    Without arguments it does what gives the same results up to float
    rounding and takes no preparation worth the name.

    Args:
        fold (bool): Whether networks that can be are folded
            (:func:`fold`), which leaves their weights as they are.
        compile (bool | str): Whether to call them through ``torch.compile``,
            or its mode; 'reduce-overhead' and 'max-autotune' use CUDA graphs.
            The first call takes up to a minute and a half; other sizes do
            not compile anew.
            Where there is no compiler, a warning says so and networks are
            called as they are.
        autocast (str, optional): 'fp16' or 'bf16', with which results differ.

    Raises:
        ConfigError: If an argument is none of these.
    """

    def __init__(self, fold: bool = True, compile: Union[bool, str] = False,
                 autocast: Optional[str] = None) -> None:
        if not isinstance(fold, bool):
            raise ConfigError('inference.fold has to be True or False, not '
                              f'{fold!r}.')
        if not isinstance(compile, bool) and compile not in MODES:
            raise ConfigError('inference.compile has to be True, False or one '
                              f'of {", ".join(MODES)}, not {compile!r}.')
        if autocast is not None and autocast not in DTYPES:
            raise ConfigError('inference.autocast has to be one of '
                              f'{", ".join(DTYPES)}, not {autocast!r}.')
        self.fold = fold
        self.mode = 'default' if compile is True else compile
        self.dtype = DTYPES.get(autocast)
        self.compiled: Dict[nn.Module, Callable] = {}
        self.ready: Optional[Dict[Tuple[nn.Module, bool], Callable]] = None
        self.times: Dict[nn.Module, List[float]] = {}

    def __deepcopy__(self, memo: dict) -> 'FastCalls':
        """Settings alone: what is compiled belongs to one model."""
        copied = object.__new__(type(self))
        copied.__dict__.update(self.__dict__, compiled={}, ready=None,
                               times={})
        return copied

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """One restoration, during which weights do not change."""
        self.ready, self.times = {}, {}
        try:
            with torch.inference_mode():
                yield
        finally:
            self.ready = None

    def walk(self, network: nn.Module,
             times: Iterable[Union[float, Tensor]]) -> None:
        """Says at which times a network is going to be called, so that
        their embeddings are computed together."""
        times = [t for t in times if not isinstance(t, Tensor)]
        if times and isinstance(network, (ConditionalNAFNet,
                                          ConditionalUNet)):
            self.times[network] = times
            for small in (True, False):
                self.ready.pop((network, small), None)

    def __call__(self, network: nn.Module, *images: Tensor,
                 **kwargs: Any) -> Tensor:
        """``network(*images, **kwargs)``; as it is, outside of
        :meth:`restoring`."""
        if self.ready is None:
            return network(*images, **kwargs)
        small = images[0].shape[2:].numel() < SMALL
        if (network, small) not in self.ready:
            self.ready[network, small] = self._prepared(network, small)
        call = self.ready[network, small]
        if self.dtype is None:
            return call(*images, **kwargs)
        with torch.autocast(images[0].device.type, self.dtype):
            return call(*images, **kwargs).to(images[0].dtype)

    def _prepared(self, network: nn.Module, small: bool) -> Callable:
        ready = network
        if self.fold and isinstance(network, ConditionalNAFNet) and (
                self.mode or not small) and not (
                self.dtype and network.conv_in.weight.device.type == 'cpu'):
            ready = fold(network)  # which on CPUs is float32 throughout
        if self.mode:
            return self._compiled(network, ready)
        times = self.times.get(network)
        return with_times(ready, times) if times else ready

    def _compiled(self, network: nn.Module, ready: nn.Module) -> Callable:
        """``ready``, what ``network`` became for this restoration, through
        what was compiled for an earlier one."""
        if network not in self.compiled:
            self.compiled[network] = torch.compile(
                _called, mode=self.mode, dynamic=True)

        def call(*images: Tensor, **kwargs: Any) -> Tensor:
            # a number would be compiled in: anew for each time
            tensors = {key: images[0].new_tensor([value])
                       if isinstance(value, (int, float)) else value
                       for key, value in kwargs.items()}
            try:
                return self.compiled[network](ready, *images, **tensors)
            except torch._dynamo.exc.TorchDynamoException as error:
                warnings.warn('networks are not compiled: '
                              f'{str(error).splitlines()[0]}', stacklevel=2)
                self.compiled[network] = _called
                return ready(*images, **kwargs)

        return call


def _called(network: nn.Module, *images: Tensor, **kwargs: Any) -> Tensor:
    return network(*images, **kwargs)
