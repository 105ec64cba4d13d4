"""Hold the built-in mappings, a TOML file each (`ingest.importer.mapping`), and some outlines."""
