# deno-count: rung 0 -> 4
FROM ubuntu:24.04 AS build
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
COPY --from=denoland/deno:bin-2.1.4 /deno /usr/local/bin/deno
ENV PATH="/root/.deno/bin:${PATH}"
WORKDIR /app
COPY . .
ENV DENO_DIR=/deno-dir
RUN deno cache main.ts
RUN mkdir -p /app/data \
    && chown -R 65532:65532 /app/data

FROM denoland/deno:distroless-2.1.4
ENV DENO_DIR=/deno-dir
WORKDIR /app
COPY --chown=65532:65532 --from=build /deno-dir /deno-dir
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /app/data /app/data
# Counts visits.
EXPOSE 8000
USER 65532:65532
CMD ["run", "--allow-net", "--allow-read", "--allow-write=data", "main.ts"]
