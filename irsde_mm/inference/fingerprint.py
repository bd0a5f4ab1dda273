"""Checksums of what the results of a model depend on."""
import hashlib
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

PLAIN = (str, int, float, bool, type(None))
FUNCTIONS = (type, FunctionType, BuiltinFunctionType, MethodType)
#: Attributes that are compiled code, not settings.
CODE = ('compiled', 'lock')


def fingerprint(value: Any) -> str:
    """Return a checksum of a model or a setting: its types, tensors, numbers
    and texts, at any depth.

    It is the same in every process. Functions count with their names only.
    """
    sums = hashlib.sha256()
    _add(sums, value, set())
    return sums.hexdigest()[:16]


def _add(sums, value: Any, seen: set) -> None:
    """Add a value to a checksum; ``seen`` are the ids of its parents."""
    if isinstance(value, PLAIN):
        sums.update(repr(value).encode(errors='backslashreplace'))
        return
    sums.update(type(value).__name__.encode())
    if isinstance(value, Tensor):
        array = value.detach().cpu().contiguous()
        sums.update(repr((array.dtype, tuple(array.shape))).encode())
        sums.update(array.flatten().view(torch.uint8).numpy().data)
    elif isinstance(value, np.ndarray):
        sums.update(repr((str(value.dtype), value.shape)).encode())
        sums.update(np.ascontiguousarray(value).tobytes())
    elif id(value) not in seen:
        for part in _parts(value):
            _add(sums, part, {*seen, id(value)})


def _parts(value: Any) -> list:
    """Return the parts of a value in a fixed order."""
    if isinstance(value, nn.Module):
        return [*value.named_parameters(), *value.named_buffers(),
                *((name, key, item) for name, module in value.named_modules()
                  for key, item in vars(module).items()
                  if isinstance(item, PLAIN))]
    if isinstance(value, dict):
        return [part for key, item in value.items() for part in (key, item)]
    if isinstance(value, (list, tuple, range)):
        return list(value)
    if isinstance(value, FUNCTIONS):
        return [value.__qualname__]
    return [(key, item) for key, item in getattr(
        value, '__dict__', {}).items() if key not in CODE]
