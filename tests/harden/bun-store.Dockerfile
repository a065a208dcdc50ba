# bun-store: rung 0 -> 4
FROM oven/bun AS build
WORKDIR /usr/src/app
COPY package.json bun.lockb ./
RUN bun install
COPY . .
RUN mkdir -p /usr/src/app/store \
    && chown -R 65532:65532 /usr/src/app/store

FROM oven/bun:distroless
WORKDIR /usr/src/app
COPY --from=build /usr/src/app /usr/src/app
COPY --from=build --chown=65532:65532 /usr/src/app/store /usr/src/app/store
EXPOSE 3000
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/bun"]
CMD ["run", "index.ts"]
