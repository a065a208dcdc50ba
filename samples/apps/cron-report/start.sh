#!/bin/bash
# Cron starts its jobs with an empty environment: what the container has is written down for them.
printenv | grep -v '^_=' > /etc/environment
/usr/local/bin/report.sh
exec cron -f -L 2
