"""The words that a page itself needs, on the wall as at the desk: it goes on speaking when the server is gone."""

SPOKEN = (
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
