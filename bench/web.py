"""``python -m bench.web``: request a retry of everything that failed, as a web process.

Prints one line of JSON: the seconds until the response, and the peak memory of the process.
"""

import json
import os
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings_test")
os.environ.setdefault("REDRIVE_ROLE", "command")


def main() -> None:
    import django

    django.setup()
    from django.conf import settings

    from bench.processes import peak_memory
    from bench.single_retry import log_in

    settings.ALLOWED_HOSTS = ["testserver"]
    client = log_in()
    begin = time.perf_counter()
    response = client.post(
        "/admin/api/retry/bulk",
        json.dumps({"filter": {"status": "failed"}, "reason": "bench"}),
        content_type="application/json",
        headers={"X-CSRFToken": client.cookies["csrftoken"].value},
    )
    took = time.perf_counter() - begin
    assert response.status_code == 202, response.content
    print(json.dumps({"seconds": took, "peak": peak_memory()}))


if __name__ == "__main__":
    main()
