"""Mappings that come with the product: a TOML file each (see `ingest.importer.mapping`), and outlines of the places they bring."""
