"""The incident package: all that is known of a period, readable without this system."""
