# typescript-links: rung 0 -> 4
FROM node:22 AS build

WORKDIR /app

# dependencies
COPY package*.json ./
RUN npm ci

# sources
COPY . .
RUN npm run build
RUN chmod -R 755 data
RUN npm prune --omit=dev
RUN mkdir -p /app/data \
    && chown -R 65532:65532 /app/data

FROM gcr.io/distroless/nodejs22-debian13:nonroot
WORKDIR /app
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /app/data /app/data
EXPOSE 3000
USER 65532:65532
ENTRYPOINT ["/nodejs/bin/node"]
CMD ["dist/index.js"]
