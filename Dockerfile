# Everything that Redrive runs as is this image with another command; see deploy/compose.yaml.
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements/runtime.txt requirements/
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --no-deps --only-binary :all: -r requirements/runtime.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/.static \
    REDRIVE_UPLOAD_DIR=/data/uploads \
    WEB_BIND=0.0.0.0:8000
RUN useradd --uid 10001 --no-create-home redrive \
    && install --directory --owner redrive /data/uploads
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# What production requires is not used while static files are collected.
RUN python -m compileall -q config entries retry \
    && SECRET_KEY=only-to-collect-the-static-files ALLOWED_HOSTS=localhost \
       DATABASE_URL=postgresql:///none REDIS_URL=redis://none \
       python manage.py collectstatic --noinput
USER redrive
VOLUME /data
EXPOSE 8000
CMD ["gunicorn", "--config", "config/gunicorn.py", "config.wsgi:application"]
