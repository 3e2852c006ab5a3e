"""The web frame: middleware, error pages, access log, headers."""
