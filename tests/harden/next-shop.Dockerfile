# next-shop: rung 0 -> 3
FROM node:18-alpine AS build
WORKDIR /app
COPY . .
RUN yarn install
RUN yarn build
ENV NEXT_PUBLIC_API=https://api.example.com

FROM node:18-alpine
ENV NEXT_PUBLIC_API=https://api.example.com
WORKDIR /app
COPY --from=build /app /app
EXPOSE 3000
RUN mkdir -p /app/.next/cache \
    && chown -R 1000:1000 /app/.next/cache
USER 1000:1000
CMD ["node_modules/.bin/next", "start", "-p", "3000"]
