"""What a supervisor tells the process that it starts."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from inference.loading import HostedEngine


class HostPlan(BaseModel):
    """One process and its engines. niceness: 0 to 19."""

    model_config = ConfigDict(frozen=True)

    name: str
    engines: tuple[HostedEngine, ...] = Field(min_length=1)
    niceness: int = Field(default=0, ge=0, le=19)

    @property
    def threads(self) -> int:
        """The largest number of threads that one of the engines may keep busy."""
        return max(hosted.threads for hosted in self.engines)
