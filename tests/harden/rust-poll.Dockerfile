# rust-poll: rung 0 -> 4
FROM rust:1.85 AS build

WORKDIR /usr/src/poll
COPY . .

RUN cargo install --path .
RUN mkdir -p /out/var/lib/poll

FROM gcr.io/distroless/cc-debian13
WORKDIR /usr/src/poll
COPY --from=build /usr/local/cargo/bin/poll /usr/local/bin/poll
COPY --from=build /usr/src/poll/check.toml /usr/src/poll/check.toml
COPY --from=build --chown=65532:65532 /out/var/lib/poll /var/lib/poll
EXPOSE 8000
USER 65532:65532
CMD ["poll"]
