#!/bin/sh
# One look at the database; prints the answer only if there is something to look at, and exits as `health` does.
set -u
# A file that is there and cannot be read is complained of, not passed over; so is a link to nothing.
is_there() { [ -e "$1" ] || [ -L "$1" ]; }
defaults=${DEFAULTS:-/etc/default/jira-worklog-dashboard}
if is_there "$defaults"; then
    set -a
    . "$defaults"
    set +a
fi
# The thresholds that the service reads, where there are some and nobody has named others.
config=${CONFIG:-/etc/jira-worklog-dashboard/health.toml}
if [ -z "${BOOTPROOF_HEALTH:-}" ] && is_there "$config"; then
    export BOOTPROOF_HEALTH="$config"
fi
cd "${STATE_DIRECTORY:-/var/lib/jira-worklog-dashboard}" || exit 8
answer=$("${WORKLOG_MIGRATE:-/usr/local/bin/worklog-migrate}" health --db "${BOOTPROOF_DB:-worklog.db}" --lock-timeout 30 2>&1)
code=$?
[ "$code" -eq 0 ] || printf '%s\n' "$answer"
exit "$code"
