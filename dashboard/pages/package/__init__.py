"""The incident package: all that is known of a period, to be taken away and opened without the system."""
