#!/bin/sh
# An external check that tells by its status what it hears of a server's place.
case "$3 $4 $HAPROXY_SERVER_ADDR $HAPROXY_SERVER_PORT" in
*/none.sock\ NOT_USED\ */none.sock\ ) exit 11 ;;
\ NOT_USED\ \ ) exit 12 ;;
esac
exit 0
