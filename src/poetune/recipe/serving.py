"""The settings of `generate.serving`."""

from pydantic import Field

from poetune.recipe.section import Section


class Serving(Section):
    """How the servers of `generate.endpoints` are asked."""

    key_variable: str = Field("OPENAI_API_KEY", description="environment variable that holds the key")
    timeout: float = Field(120.0, gt=0, description="seconds per poem")
    concurrency: int = Field(4, ge=1, le=64, description="poems at once")
    requests_per_minute: int = Field(0, ge=0, description="0 = no limit")
    tokens_per_minute: int = Field(0, ge=0, description="0 = no limit")
    retries: int = Field(5, ge=0, description="further tries of a poem that failed")
