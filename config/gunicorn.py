"""Gunicorn's settings: ``gunicorn --config config/gunicorn.py config.wsgi:application``.

Options on the command line win.
"""

from config.env import env

worker_class = "config.web.worker.BufferedWorker"
workers = env.int("WEB_PROCESSES", 2)
#: Requests that one process handles at a time.
threads = env.int("WEB_THREADS", 8)
bind = env.str("WEB_BIND", "127.0.0.1:8000")
#: Seconds to finish open requests after SIGTERM.
graceful_timeout = 10
control_socket_disable = True
