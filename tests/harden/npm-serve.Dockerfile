# npm-serve: rung 0 -> 3
FROM node:16 AS build
WORKDIR /app
COPY . .
RUN npm install && npm run build
RUN npm install -g serve

FROM node:16-slim
RUN npm install -g serve && npm cache clean --force
WORKDIR /app
COPY --from=build /app/build /app/build
EXPOSE 80
USER 1000:1000
CMD ["serve", "-s", "build", "-l", "80"]
