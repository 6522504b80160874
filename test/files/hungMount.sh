#!/bin/sh
# Checks that a file on a mount that does not answer is an error, and never waited for. It needs root,
# Linux and five minutes:
#
#     npm run build && sudo sh test/files/hungMount.sh
#
# A FUSE mount whose program reads no request stands for the dead server. Only this script sees it.
[ "$1" = inside ] || exec unshare -m sh "$0" inside
main=$(cd "$(dirname "$0")/../.." && pwd)/bin/mlp.js
work=$(mktemp -d) && cd "$work" || exit 1
trap 'umount -l hung 2>/dev/null; cd /; rm -rf "$work"' EXIT
failed=0

awk 'BEGIN { print "a,b,y"; for (i = 0; i < 60; i++) print i ",", i * i % 7 "," i % 2 }' > data.csv
echo '{"network": {"layers": [1]}, "data": {"train": "data.csv", "target": "y"}}' > config.json
node "$main" train config.json --run run --json > /dev/null || exit 1

# Each check mounts anew, over a file (mode 100644) or a folder (40755).
hang() {
  exec 9<> /dev/fuse
  mount -i -t fuse -o "fd=9,rootmode=$1,user_id=0,group_id=0" hung "$2"
}

# check WHAT ARGUMENTS…: exit 74 within 20 seconds, with the mount in the message
check() {
  what=$1
  shift
  error=$(timeout -s KILL 20 node "$main" "$@" 2>&1 > /dev/null < /dev/null)
  code=$?
  case "$code $error" in
    74*"a mount of type fuse that did not answer within 10 seconds"*) echo "ok      $what" ;;
    *) echo "failed  $what: exit $code: $error"; failed=1 ;;
  esac
}

for file in config.json model.safetensors run.json; do
  hang 100644 "run/$file"
  check "evaluate, a mount at run/$file" evaluate run
  umount -l "run/$file"
done
for file in config.json run.json steps.csv; do
  hang 100644 "run/$file"
  check "repro, a mount at run/$file" repro run
  umount -l "run/$file"
done
mkdir hung linked
for file in config.json model.safetensors run.json; do ln -s "$work/hung/$file" "linked/$file"; done
hang 40755 hung
check 'evaluate, a link' evaluate linked
check 'predict, a link' predict linked data.csv
check 'predict, a run' predict hung/run data.csv
check 'predict, data' predict run hung/data.csv
check 'train, a config' train hung/config.json
check 'train, data' train config.json --set data.train=hung/data.csv
check 'train, data by a pattern' train config.json --set 'data.train=hung/*.csv'
check 'train, a run directory' train config.json --run hung/run
check 'train --resume' train config.json --resume hung/run
check 'inspect' inspect hung/data.csv
check 'init' init hung/data.csv --target y
check 'init -o' init data.csv --target y -o hung/config.json
check 'predict -o' predict run data.csv -o hung/out.csv
check 'params' params hung/config.json
check 'gradcheck' gradcheck hung/config.json
exit $failed
