"""poet.db: migrations, records in and out, artifacts written so that a kill leaves the old state or the new one."""

from poetune.store.database import Store

__all__ = ["Store"]
