"""One module a page: its address and what it asks of the server."""
