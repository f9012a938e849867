#!/bin/sh
# web.sh, run in web1 and web2: nginx, whose page says which server it is.
set -eu
export DEBIAN_FRONTEND=noninteractive

if ! command -v nginx >/dev/null; then
	apt-get -q update
	apt-get -q -y install --no-install-recommends nginx-light
fi
hostname >/var/www/html/index.html
systemctl enable --quiet --now nginx
