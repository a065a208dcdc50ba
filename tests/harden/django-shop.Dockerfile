# django-shop: rung 0 -> 3
FROM python:3.11 AS build
ENV PYTHONUNBUFFERED 1
RUN apt-get update && apt-get install -y gcc libpq-dev vim curl postgresql-client
WORKDIR /code
COPY . /code/
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN pip install --upgrade pip
RUN pip install -r requirements.txt
RUN DATABASE_URL=postgres://db:5432/shop DJANGO_SECRET_KEY=not-a-secret python manage.py collectstatic --noinput
RUN chmod -R 755 /code

FROM python:3.11-slim
ENV PYTHONUNBUFFERED 1
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /code
COPY --from=build /opt/venv /opt/venv
COPY --from=build /code /code
EXPOSE 8000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /code/logs /code/media \
    && chown -R 10001:10001 /code/logs /code/media
USER 10001:10001
CMD python manage.py migrate && exec python manage.py runserver 0.0.0.0:8000
