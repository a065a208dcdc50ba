# poetry-links: rung 0 -> 3
FROM python:3.12 AS build
ENV POETRY_VERSION=1.8.3 \
    POETRY_VIRTUALENVS_CREATE=false
RUN pip install "poetry==$POETRY_VERSION"
WORKDIR /app
COPY pyproject.toml poetry.lock ./
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN poetry install --without dev --no-interaction --no-ansi --no-root
COPY . .

FROM python:3.12-slim
ENV POETRY_VERSION=1.8.3 \
    POETRY_VIRTUALENVS_CREATE=false
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
WORKDIR /app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /app /app
EXPOSE 5000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /app/data \
    && chown -R 10001:10001 /app/data
USER 10001:10001
CMD ["gunicorn", "-b", "0.0.0.0:5000", "app:app"]
