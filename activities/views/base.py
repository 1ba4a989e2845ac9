"""What every view has."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Amount = Annotated[int, Field(description="Minor units of the order's currency")]


class View(BaseModel):
    model_config = ConfigDict(frozen=True)
