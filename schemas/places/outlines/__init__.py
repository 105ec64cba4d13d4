"""Build the outlines of communes from open sources, and store them here, one file per province."""
