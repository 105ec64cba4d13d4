"""What every HTTP server of the centre must hold, whatever it serves: bounds, names, response headers, access lines.

Reading order: `limits` (the bounds, as numbers), `connection` (headers, bodies and connections held to them, before any
application runs), `memory` (bytes of request bodies over all connections), `hosts` (names that the server answers to),
`middleware` (allowed hosts, response headers, access lines around an ASGI application), `server` (all of it, run by uvicorn).
"""
