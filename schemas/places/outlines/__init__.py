"""Build the outlines of communes from open sources.

The results, one file per province, lie beside.
"""
