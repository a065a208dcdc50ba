#!/bin/bash
set -euo pipefail

: "${BACKUP_NAME:?names the archive}"
export BACKUP_FILE="/backups/$BACKUP_NAME.tar.gz"

exec "$@"
