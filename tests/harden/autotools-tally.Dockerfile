# autotools-tally: rung 0 -> 3
FROM debian:bookworm AS build
RUN apt-get update && apt-get install -y autoconf automake gcc make libsqlite3-dev curl nano
WORKDIR /usr/src/tally
COPY . .
RUN autoreconf --install
RUN ./configure --localstatedir=/var
RUN make -j$(nproc) && make install
RUN mkdir /var/lib/tally
RUN cd /usr/src/tally && make install DESTDIR=/installed

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl libsqlite3-0 \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /usr/src/tally
COPY --from=build /usr/src/tally/check.toml /usr/src/tally/check.toml
COPY --from=build /usr/src/tally/words.txt /usr/src/tally/words.txt
COPY --from=build /var/lib/tally /var/lib/tally
COPY --from=build /installed/ /
RUN ldconfig
EXPOSE 7070
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /var/lib/tally \
    && chown -R 10001:10001 /var/lib/tally
USER 10001:10001
HEALTHCHECK --interval=5s CMD curl -f http://localhost:7070/apple
CMD ["tallyd"]
