#!/bin/sh
# A unit that goes is stopped before its files are: sshd is told when they are gone, if that is soon.
set -eu
file=/etc/ssh/sshd_config.d/10-voevent.conf
tries=600
while [ -e "$file" ] && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
done
if systemctl --quiet is-active voevent-ssh.service; then exit 0; fi
exec "$1"
