"""Frozen dataclasses to JSON and back, by their type hints.

Names that are missing get their defaults and names that are unknown are left out, so that a store written by the
version before or after this one can still be read.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode(value: Any) -> Any:
    """What `json.dumps` takes: dataclasses become objects, enums their values, times ISO text."""
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: encode(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [encode(each) for each in value]
    return value


def decode(kind: Callable[..., T], document: dict[str, Any]) -> T:
    """The dataclass `kind` with the values of `document`. Raises ValueError or TypeError where they don't fit."""
    values = {}
    for name, (hint, optional) in _hints(kind).items():
        if name in document:
            values[name] = _decode_value(hint, document[name])
        elif not optional:
            raise ValueError(f"{kind} without {name}")
    return kind(**values)


@cache
def _hints(kind: Any) -> dict[str, tuple[Any, bool]]:
    hints = get_type_hints(kind)
    return {
        each.name: (hints[each.name], each.default is not MISSING or each.default_factory is not MISSING)
        for each in fields(kind)
    }


def _decode_value(hint: Any, value: Any) -> Any:
    if value is None:
        return None
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(each for each in get_args(hint) if each is not type(None))
    if isinstance(hint, type) and is_dataclass(hint):
        return decode(hint, value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    return value
