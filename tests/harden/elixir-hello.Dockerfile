# elixir-hello: rung 0 -> 3
FROM elixir:1.17 AS build
RUN apt-get update && apt-get install -y build-essential git
RUN mix local.hex --force && mix local.rebar --force
ENV MIX_ENV=prod
WORKDIR /app
COPY . .
RUN mix deps.get && mix compile
RUN mix release

FROM elixir:1.17-slim
ENV MIX_ENV=prod
ENV RELEASE_TMP=/tmp
ENV PHX_SERVER=true
WORKDIR /app
COPY --from=build /app/_build/prod/rel/hello /app
EXPOSE 4000
RUN groupadd --system --gid 10001 app \
    && useradd --system --no-log-init --uid 10001 --gid 10001 --create-home --home-dir /home/app --shell /usr/sbin/nologin app
USER 10001:10001
CMD ["/app/bin/hello", "start"]
