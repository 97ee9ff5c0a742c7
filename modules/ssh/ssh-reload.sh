#!/bin/sh
# sshd reads its configuration again, if it can be read: who is logged in stays so.
set -eu
# A sshd that systemd starts for each connection has made it only if there was one.
mkdir -p /run/sshd
/usr/sbin/sshd -t
if systemctl --quiet is-active ssh.socket; then
    # Where a generator gives the socket the ports of sshd_config, systemd has to ask it.
    ports=$(systemctl show --property=Listen ssh.socket)
    systemctl daemon-reload
    if [ "$(systemctl show --property=Listen ssh.socket)" != "$ports" ]; then systemctl restart ssh.socket; fi
    # The socket waits meanwhile; a sshd that did not open it could not open it again.
    systemctl try-restart ssh.service
elif systemctl --quiet is-active ssh.service; then
    systemctl reload ssh.service || true
    # One that cannot open its ports again has ended by now: then another one is started.
    sleep 1
    systemctl --quiet is-active ssh.service || systemctl restart ssh.service
fi

