#!/bin/bash
# failover.sh: kill the active node of the running pair, first its daemon
# (SIGKILL), then the whole machine (power cut), while a client on this host sends
# a request every 50 ms to the virtual address. It prints a timeline and the gaps,
# and exits 1 when the address did not move or did not answer again.
set -euo pipefail
cd "$(dirname "$0")"
vip=192.168.56.10
work=$(mktemp -d)
pids=()
finish() {
	[ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
[ -n "${EPOCHREALTIME:-}" ] || { echo "failover.sh needs bash 5" >&2; exit 1; }

start=${EPOCHREALTIME/[.,]/}
say() { printf '%7d.%01d s  %s\n' $((($1 - start) / 1000000)) $((($1 - start) / 100000 % 10)) "$2"; }
now() { say "${EPOCHREALTIME/[.,]/}" "$*" | tee -a "$work/timeline"; }
die() {
	now "FAILED: $*"
	exit 1
}

vagrant ssh-config >"$work/ssh"
# ssh -n: nothing here reads a terminal. Multiplexed, so that asking costs little.
on() {
	local node=$1
	shift
	ssh -n -q -F "$work/ssh" -o ConnectTimeout=5 -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$work/mux-%r-$node" "$node" "$@"
}
other() { [ "$1" = lb1 ] && echo lb2 || echo lb1; }
has() { [ -n "$(on "$1" "ip -o -4 addr show to $vip" 2>/dev/null)" ]; }

# await SECONDS WHAT COMMAND...: until COMMAND is true.
await() {
	local deadline=$((SECONDS + $1)) what=$2
	shift 2
	until "$@"; do
		[ $SECONDS -lt $deadline ] || die "$what: not within the time"
		sleep 0.1
	done
}

# The client: one line per request, "<µs> <ok|failed> <answer>".
client() {
	local t body
	while :; do
		t=${EPOCHREALTIME/[.,]/}
		if body=$(curl -s --fail --max-time 0.3 "http://$vip/"); then
			echo "$t ok $body"
		else
			echo "$t failed"
		fi
		sleep 0.05
	done
}
serving() { tail -n 1 "$work/client" | grep -q ' ok '; }

# Kernel events of the address on NODE, stamped when they arrive here. The lease
# is renewed all the time, which the kernel reports too; changes alone are told.
tell_address() {
	local line what last=
	while read -r line; do
		case $line in
		watching) echo "$1" >>"$work/watching" && continue ;;
		Deleted*"$vip/"*) what="lost" ;;
		*"$vip/"*) what=holds ;;
		*) continue ;;
		esac
		[ "$what" = "$last" ] || now "$1 $what $vip"
		last=$what
	done
}
watch_address() {
	ssh -n -q -F "$work/ssh" "$1" "echo watching; exec stdbuf -oL ip -o monitor address" > >(tell_address "$1") &
	pids+=($!)
}
watching() { [ "$(wc -l <"$work/watching")" = 2 ]; }

# gap FROM TO: of the requests sent between the two times, the longest time
# between two answers and the number that failed.
gap() {
	awk -v from="$1" -v to="$2" '
		$1 < from { if ($2 == "ok") last = $1; next }
		$1 > to { exit }
		{ n++ }
		$2 == "ok" { if (last && $1 - last > worst) worst = $1 - last; last = $1; next }
		{ failed++ }
		END { printf "%d requests, %d failed, longest gap %d ms", n, failed, worst / 1000 }' "$work/client"
}

echo "the pair:"
for node in lb1 lb2; do
	echo "-- $node"
	on "$node" sudo baton status
done
if has lb1; then active=lb1; elif has lb2; then active=lb2; else die "no node holds $vip"; fi
backup=$(other $active)

client >"$work/client" &
pids+=($!)
touch "$work/watching"
watch_address lb1
watch_address lb2
await 30 "ip monitor on both nodes" watching
await 15 "an answer from http://$vip/" serving
now "$active is active, http://$vip/ answers"

### 1: the daemon dies. systemd starts it again after a second.
t0=${EPOCHREALTIME/[.,]/}
now "SIGKILL to baton on $active"
on $active sudo systemctl kill --kill-whom=main -s KILL baton
await 30 "$backup takes over from the dead daemon" has "$backup"
await 10 "$vip answers again" serving
now "$backup has it and answers"
await 30 "the service on $active comes back" on $active systemctl is-active -q baton
now "$active is back"
sleep 6 # time for its higher priority to take the address back, if it has one
t1=${EPOCHREALTIME/[.,]/}

### 2: the machine dies.
if has lb1; then active=lb1; else active=lb2; fi
backup=$(other $active)
now "power cut for $active"
t2=${EPOCHREALTIME/[.,]/}
domain="$(basename "$PWD")_$active"
if command -v virsh >/dev/null && virsh -q domstate "$domain" >/dev/null 2>&1; then
	virsh -q destroy "$domain" >/dev/null
else
	vagrant halt -f $active >/dev/null
fi
await 30 "$backup takes over from the dead machine" has "$backup"
await 10 "$vip answers again" serving
now "$backup has it and answers"
sleep 2
t3=${EPOCHREALTIME/[.,]/}

now "starting $active again"
vagrant up --no-provision $active >/dev/null
await 60 "the service on $active" on $active systemctl is-active -q baton
sleep 6
await 10 "$vip answers" serving
now "$active is back, $(if has lb1; then echo lb1; else echo lb2; fi) holds $vip"
t4=${EPOCHREALTIME/[.,]/}

echo
echo "daemon killed:    $(gap "$t0" "$t1")"
echo "machine killed:   $(gap "$t2" "$t3")"
echo "machine returned: $(gap "$t3" "$t4")"
echo "answers by server:$(awk -v from="$t0" '$1 >= from && $2 == "ok" { n[$3]++ } END { for (s in n) printf " %s %d", s, n[s] }' "$work/client")"
