"""The demo: Redrive with everything around it, and an upstream that fails on purpose."""
