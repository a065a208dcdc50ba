# ruby-rack: rung 0 -> 3
FROM ruby:3.3 AS build
# The database's own tools, for the entry script.
RUN apt-get update && apt-get install -y nodejs postgresql-client vim
WORKDIR /srv/board
COPY Gemfile Gemfile.lock ./
RUN bundle install
COPY . .
RUN SECRET_KEY_BASE_DUMMY=1 bundle exec rake assets:precompile
COPY start.sh /usr/local/bin/
RUN chmod +x /usr/local/bin/start.sh

FROM ruby:3.3-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq5 postgresql-client \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/board
COPY --from=build /usr/local/bundle /usr/local/bundle
COPY --from=build /srv/board /srv/board
COPY --from=build /usr/local/bin/start.sh /usr/local/bin/start.sh
EXPOSE 9292
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app \
    && mkdir -p /srv/board/log /srv/board/storage /srv/board/tmp \
    && chown -R 10001:10001 /srv/board/log /srv/board/storage /srv/board/tmp
USER 10001:10001
ENTRYPOINT ["start.sh"]
CMD ["bundle", "exec", "puma", "-b", "tcp://0.0.0.0:9292"]
