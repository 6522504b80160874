#!/bin/sh
# Network namespaces as hosts, joined by a switch of the given speed: runs a command under MPICH's mpirun, one rank on each.
#   sudo sh bench/hosts.sh 2 1gbit node bin/mlp.js train configs/breast-cancer.json --no-report
#   sudo sh bench/hosts.sh 4 100mbit node bench/exchange.js
set -eu
hosts=$1
rate=$2
shift 2
switch=mlpsw$$
nameOf() { echo "mlp$$-$1"; }
launch=$(mktemp)
end() {
  for i in $(seq "$hosts"); do
    ip netns del "$(nameOf "$i")" 2>/dev/null || true
    rm -rf "/etc/netns/$(nameOf "$i")"
  done
  ip link del "$switch" 2>/dev/null || true
  rm -f "$launch"
}
trap end EXIT
ip link add "$switch" type bridge
ip link set "$switch" up
names=
for i in $(seq "$hosts"); do
  host=$(nameOf "$i")
  names="$names${names:+,}$host"
  mkdir -p "/etc/netns/$host"
  {
    echo 127.0.0.1 localhost
    for j in $(seq "$hosts"); do echo "10.99.0.$j $(nameOf "$j")"; done
  } >"/etc/netns/$host/hosts"
  ip netns add "$host"
  ip link add "mlpv$$-$i" type veth peer name eth0 netns "$host"
  ip link set "mlpv$$-$i" master "$switch" up
  ip -n "$host" link set lo up
  ip -n "$host" addr add "10.99.0.$i/24" dev eth0
  ip -n "$host" link set eth0 up
  # Both ways, as a cable does.
  ip netns exec "$host" tc qdisc add dev eth0 root tbf rate "$rate" burst 256kb latency 100ms
  tc qdisc add dev "mlpv$$-$i" root tbf rate "$rate" burst 256kb latency 100ms
done
# What mpirun takes for ssh: its first argument without a dash is the host.
cat >"$launch" <<'SSH'
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
host=$1
shift
exec ip netns exec "$host" unshare --uts sh -c "hostname $host; $*"
SSH
chmod +x "$launch"
first=$(nameOf 1)
ip netns exec "$first" unshare --uts sh -c 'hostname "$0"; exec "$@"' "$first" \
  env UCX_TLS=tcp,self UCX_NET_DEVICES=eth0 FI_PROVIDER=tcp \
  "${MPIRUN:-mpirun.mpich}" -launcher ssh -launcher-exec "$launch" -hosts "$names" -n "$hosts" -ppn 1 "$@"
