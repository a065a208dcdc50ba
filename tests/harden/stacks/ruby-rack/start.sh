#!/bin/sh
set -e
until pg_isready -q; do sleep 1; done
exec "$@"
