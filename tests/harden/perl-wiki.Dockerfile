# perl-wiki: rung 0 -> 3
FROM perl:5.40 AS build
RUN apt-get update && apt-get install -y libjson-perl vim
COPY . /usr/src/wiki
WORKDIR /usr/src/wiki
RUN chmod -R 755 .

FROM perl:5.40-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libjson-perl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /usr/src/wiki
COPY --from=build /usr/src/wiki /usr/src/wiki
EXPOSE 8088
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && chown -R 10001:10001 /usr/src/wiki
USER 10001:10001
CMD ["perl", "wiki.pl"]
