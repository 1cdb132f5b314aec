"""What every section of poet.yaml is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Strict: no unknown key; frozen, so that a resolved recipe can be kept beside what it made."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
