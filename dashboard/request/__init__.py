"""Handle one request for a page: its address, its context, the threads that answer it."""
