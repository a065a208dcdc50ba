# esbuild-shop: rung 0 -> 3
FROM node:22 AS build
WORKDIR /app
COPY . .
ARG SHOP_API
RUN npm install && npm run build

FROM nginx:1.26
RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*
COPY default.conf /etc/nginx/conf.d/default.conf
COPY --from=build /app/build /usr/share/nginx/html
RUN chmod -R 755 /usr/share/nginx/html /var/cache/nginx && chown -R 101 /usr/share/nginx/html /var/cache/nginx
EXPOSE 80
RUN mkdir -p /var/cache/nginx /var/cache/nginx \
    && touch /run/nginx.pid \
    && chown -R 101:101 /var/cache/nginx /var/cache/nginx \
    && chown 101:101 /run/nginx.pid
USER 101:101
HEALTHCHECK CMD curl --fail http://localhost/ || exit 1
CMD ["nginx", "-g", "daemon off;"]
