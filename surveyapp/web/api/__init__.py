"""The HTTP API: parse strictly, call a service, answer JSON. Every route is in the OpenAPI document."""
