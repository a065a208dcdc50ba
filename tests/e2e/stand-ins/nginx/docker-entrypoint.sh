#!/bin/sh
# Runs what lies in /docker-entrypoint.d before the server, as the official image does.
set -e

for script in /docker-entrypoint.d/*.sh; do
  if [ -x "$script" ]; then "$script"; fi
done

exec "$@"
