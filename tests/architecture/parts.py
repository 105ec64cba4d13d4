"""The packages of the product."""

PARTS = ("schemas", "ingest", "streams", "dashboard", "stack")
