# poetry-installer: rung 0 -> 3
FROM python:3.11-bullseye AS build
RUN pip install --no-cache-dir poetry
ENV PATH="/root/.local/bin:$PATH"
WORKDIR /srv/app
COPY pyproject.toml poetry.lock ./
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
RUN python -m venv $VIRTUAL_ENV
RUN poetry config virtualenvs.in-project true && poetry install --no-dev
COPY . .

FROM python:3.11-slim-bullseye
ENV VIRTUAL_ENV=/opt/venv
ENV PATH=$VIRTUAL_ENV/bin:$PATH
WORKDIR /srv/app
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/app /srv/app
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
CMD ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8080"]
