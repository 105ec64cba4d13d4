"""Build the outlines of communes from open sources; the outlines themselves, one file per province, lie beside."""
