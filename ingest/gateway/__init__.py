"""Accept events from agencies over HTTP.

Reading order: `app` (routes and status codes), `bodies` (a body to the bytes of its events),
`intake` (the events of one request: read, sent, acknowledged, answered), `scheduler` (one thread,
shared fairly by requests), `notices` (warnings about accepted events), `recent` (resends),
`refusals` (refused events, counted), `link` (the connection to Kafka and its heartbeat), `messages`
(reasons in Vietnamese and English), `metrics`, `description` (OpenAPI).
"""
