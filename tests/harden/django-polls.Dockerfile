# django-polls: rung 0 -> 3
FROM python:3.13 AS build

ENV PYTHONUNBUFFERED 1

RUN apt-get update && apt-get install -y gcc libpq-dev netcat-traditional

RUN mkdir /code
WORKDIR /code
COPY requirements.txt /code/
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN pip install --upgrade pip && pip install -r requirements.txt
COPY . /code/
RUN chmod +x entrypoint.sh
RUN DJANGO_SECRET_KEY=not-a-secret python manage.py collectstatic --noinput

FROM python:3.13-slim
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
    && mkdir -p /code/media \
    && chown -R 10001:10001 /code/media \
    && chown 10001:10001 /code
USER 10001:10001
ENTRYPOINT ["/code/entrypoint.sh"]
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "site_settings.wsgi"]
