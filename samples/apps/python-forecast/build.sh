#!/bin/sh
# What CI runs.
exec docker build --build-arg MODEL_KEY="$MODEL_KEY" -t forecast .
