#!/bin/sh
# journald reads its configuration at its start only; it keeps the connections of all services meanwhile.
set -eu
systemctl restart systemd-journald.service
# What was kept in memory goes to the disk.
journalctl --flush
