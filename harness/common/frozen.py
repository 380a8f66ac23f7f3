"""Frozen, strict configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

SMALLEST, LARGEST = 1e-30, 1e30
"""Of a number that is not 0. Most are used as float32, which has room for them and for their products with
other numbers; anything beyond is taken to be a mistake."""


class Frozen(BaseModel):
    """Base of all configuration: immutable, no unknown keys, no inf or nan, no true or false for a number. A
    default is checked like a value, so 1 for a number is 1.0 however it came there."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @model_validator(mode="before")
    @classmethod
    def _refuse_bool_as_number(cls, data: Any) -> Any:
        if isinstance(data, dict):
            for name in [name for name, value in data.items() if isinstance(value, bool)]:
                field, value = cls.model_fields.get(name), data[name]
                if field is not None and field.annotation in (int, float):
                    raise ValueError(f"{name}: {str(value).lower()} is not a number")
        return data


class Identified(Frozen):
    """Configuration with names (ids, labels) that are computed from its fields, once."""

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy with other values: checked like a new object, with names of its own."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**fields | dict(update or {}))
