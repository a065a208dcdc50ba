# express-gallery: rung 0 -> 3
FROM node:22 AS build

ENV NODE_ENV production

RUN apt-get update && apt-get install -y \
    vim \
    netcat-openbsd

WORKDIR /usr/src/app
COPY . .
RUN npm install

FROM node:22-slim
ENV NODE_ENV production
RUN apt-get update \
    && apt-get install -y --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /usr/src/app
COPY --from=build /usr/src/app /usr/src/app
EXPOSE 80
RUN mkdir -p /usr/src/app/uploads \
    && chown -R 1000:1000 /usr/src/app/uploads \
    && chown 1000:1000 /usr/src/app
USER 1000:1000
HEALTHCHECK --interval=30s CMD curl -f http://localhost/api/snippets || exit 1
CMD ["node", "server.js"]
