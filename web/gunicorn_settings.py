"""How each face is served: two processes of four threads, no log of addresses (an address may hold a secret)."""

import os

workers = int(os.environ.get("WEB_PROCESSES", "2"))
worker_class = "gthread"
threads = 4
preload_app = True
accesslog = None
loglevel = "warning"
timeout = 60
graceful_timeout = 10
keepalive = 5
forwarded_allow_ips = os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
