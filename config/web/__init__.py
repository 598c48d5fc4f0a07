"""Between the socket and the views: the web server, its limits, proxies, health and outages."""
