"""The base of everything that operators write: unknown keys refused, frozen, and each part knows its place."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, PrivateAttr, model_validator

from config.source import Placed, Where


class Written(BaseModel):
    """A mapping of the site file; ``where`` is its place, empty where it was not read from one."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=False)

    _where: Where = PrivateAttr(default=())

    @model_validator(mode="wrap")
    @classmethod
    def _place(cls, raw: object, build: ModelWrapValidatorHandler[Self]) -> Self:
        model = build(raw)
        if isinstance(raw, Placed):
            model._where = raw.where  # noqa: SLF001 - its own class
        return model

    @classmethod
    def keys(cls) -> set[str]:
        """The keys as the file has them."""
        return {field.alias or name for name, field in cls.model_fields.items()}

    def where(self, *keys: str | int) -> Where:
        """The place of this mapping, or of something below it."""
        return (*self._where, *keys)
