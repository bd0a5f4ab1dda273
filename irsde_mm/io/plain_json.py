"""JSON with numbers that may not be finite.

JSON has neither infinity nor NaN, and other readers reject what Python writes
for them. Here they are stored as the strings 'inf', '-inf' and 'nan'.
"""
import json
import math
from typing import Any

WORDS = {str(value): value for value in (math.inf, -math.inf, math.nan)}


def to_json(value: Any, **options) -> str:
    """Convert a value to JSON.

    Args:
        value: Any value that ``json.dumps`` accepts, or arrays.
        **options: Options of ``json.dumps``.
    """
    return json.dumps(_finite(value), allow_nan=False, **options)


def from_json(text: str) -> Any:
    """Parse the output of :func:`to_json`, restoring non-finite numbers."""
    return _numbers(json.loads(text))


def _finite(value: Any) -> Any:
    if hasattr(value, 'tolist'):  # numpy and torch
        value = value.tolist()
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(float(value))
    return value


def _numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    return WORDS.get(value, value) if isinstance(value, str) else value
