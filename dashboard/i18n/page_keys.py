"""Keys of the texts that every open page holds itself, on the wall as at the desk.

A page shows them when the server is gone.
"""

PAGE_KEYS = (
    "data_until",
    "ago",
    "seconds",
    "minutes",
    "hours",
    "hours_minutes",
    "days",
    "stopped",
    "stopped_path",
    "stopped_store",
    "stopped_failed",
    "stopped_server",
    "incomplete",
    "unwatched",
    "never_watched",
    "no_pulse",
    "replaying",
)
