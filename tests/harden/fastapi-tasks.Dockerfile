# fastapi-tasks: rung 0 -> 4
FROM python:3.13 AS build

RUN pip install uv

WORKDIR /app
COPY . /app
RUN uv sync
RUN mkdir -p /app/data \
    && chown -R 65532:65532 /app/data

FROM gcr.io/distroless/python3-debian13:nonroot
ENV PYTHONPATH=/app/.venv/lib/python3.13/site-packages
WORKDIR /app
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /app/data /app/data
EXPOSE 8000
USER 65532:65532
ENTRYPOINT ["/usr/bin/python3"]
CMD ["-m", "uvicorn", "tasks.main:app", "--host", "0.0.0.0", "--port", "8000"]
