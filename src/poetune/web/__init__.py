"""Pages on this machine alone: the review page. `access` guards the door, `app` answers, `server` listens."""
