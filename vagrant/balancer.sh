#!/bin/sh
# balancer.sh NET (192.168.56), run in lb1 and lb2: install the package that was
# copied to /tmp and start it with the pair's configuration.
set -eu
export DEBIAN_FRONTEND=noninteractive

interface=$(ip -o -4 addr show to "$1.0/24" | awk '{ print $2; exit }')
dpkg --force-confold -i /tmp/baton.deb
sed "s/@INTERFACE@/$interface/" /tmp/baton.cfg >/etc/baton/baton.cfg
baton check
systemctl restart baton
baton status
