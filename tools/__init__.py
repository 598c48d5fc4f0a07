"""Development tools: servers for tests and demo, and the demo. Production does not need them."""
