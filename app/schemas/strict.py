"""Fields that convert nothing: a number is a number, text is text, and unknown names are refused by their name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from app.core.values import plain_text


def _described(options: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """The options of a field, its bounds added to what the description shows."""
    return {**options, "metadata": {**known, **options.get("metadata", {})}}


class StrictSchema(Schema):
    """Refuses names that it does not know."""

    class Meta:
        unknown = RAISE


class StrictInteger(fields.Integer):
    """A whole number within bounds; true, 7.0 and "7" are none."""

    def __init__(self, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(**_described(options, {"minimum": minimum, "maximum": maximum}))
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValidationError("Must be a whole number.")
        if not self.minimum <= value <= self.maximum:
            raise ValidationError(f"Must be an integer between {self.minimum} and {self.maximum}.")
        return value


class StrictBoolean(fields.Boolean):
    """True or false and nothing that looks like it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Text(fields.String):
    """Text without control characters; `clean` brings it into its one normal form or raises ValueError."""

    def __init__(self, clean: Callable[[str], Any] = plain_text, *, length_max: int = 1024, **options: Any) -> None:
        super().__init__(**_described(options, {"maxLength": length_max}))
        self.clean = clean
        self.length_max = length_max

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> Any:
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        if len(value) > self.length_max:
            raise ValidationError(f"May have at most {self.length_max} characters.")
        try:
            return self.clean(value)
        except ValueError as error:
            raise ValidationError(str(error)) from error


class Secret(fields.String):
    """Text of any characters, as long as it is text that can be stored."""

    def __init__(self, length_max: int, **options: Any) -> None:
        super().__init__(**_described(options, {"maxLength": length_max, "format": "password"}))
        self.length_max = length_max

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Must be text.")
        if not 1 <= len(value) <= self.length_max:
            raise ValidationError(f"Must have 1 to {self.length_max} characters.")
        if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
            raise ValidationError("Must be text: it holds half characters.")
        return value


class Number(fields.Field[int]):
    """A whole number in a query string."""

    def __init__(self, minimum: int, maximum: int, **options: Any) -> None:
        super().__init__(**_described(options, {"type": "integer", "minimum": minimum, "maximum": maximum}))
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> int:
        digits = isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(self.maximum))
        if not digits or not self.minimum <= int(value) <= self.maximum:
            raise ValidationError(f"Must be an integer between {self.minimum} and {self.maximum}.")
        return int(value)
