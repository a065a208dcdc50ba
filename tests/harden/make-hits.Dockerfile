# make-hits: rung 0 -> 4
FROM gcc:14 AS build
COPY . /usr/src/hits
WORKDIR /usr/src/hits
RUN make && make install
RUN mkdir -p /var/lib/hits && chmod 755 /var/lib/hits

FROM gcr.io/distroless/base-debian13
WORKDIR /usr/src/hits
COPY --from=build /usr/local/bin/hitsd /usr/local/bin/hitsd
COPY --from=build /usr/src/hits/check.toml /usr/src/hits/check.toml
COPY --chown=65532:65532 --from=build /var/lib/hits /var/lib/hits
EXPOSE 8090
USER 65532:65532
CMD ["hitsd", "8090"]
