"""``gunicorn --config config/gunicorn.py config.wsgi:application``; options on the line win."""

from config.env import env

worker_class = "config.web.worker.BufferedWorker"
workers = env.int("WEB_PROCESSES", 2)
#: Requests that one process works on at a time.
threads = env.int("WEB_THREADS", 8)
bind = env.str("WEB_BIND", "127.0.0.1:8000")
#: Seconds for what has begun, once asked to stop.
graceful_timeout = 10
control_socket_disable = True
