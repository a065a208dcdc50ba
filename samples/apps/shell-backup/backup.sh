#!/bin/bash
# Packs /srv/content and prints the checksum of the list of what is inside.
set -euo pipefail

mkdir -p /backups
tar --create --gzip --file "$BACKUP_FILE" --directory /srv/content .
count=$(tar --list --file "$BACKUP_FILE" | grep -vc '/$')
jq --null-input --compact-output --arg name "$BACKUP_NAME" --argjson files "$count" '{name: $name, files: $files}'
