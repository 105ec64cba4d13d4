"""Apply limits, allowed hosts, response headers and an access log to every server of the centre.

Reading order: `limits` (the bounds, as numbers), `connection` (applies them to headers, bodies and
connections, before any application runs), `memory` (bytes of request bodies over all connections),
`hosts` (names that the server answers to), `middleware` (allowed hosts, response headers, access
log around an ASGI application), `server` (all of it, run by uvicorn).
"""
