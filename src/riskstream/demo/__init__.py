"""The embedded broker, the generator of a tenant's day, and the demo that runs them."""
