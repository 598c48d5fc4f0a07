"""The web server: requests are read whole, within limits, before a thread of the desk sees them."""
