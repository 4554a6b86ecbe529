#!/bin/sh
# Prepares a participant's folder in its volume: supply.sh FOLDER [SETTINGS KEYS]
#
# 1. Settings are links, so that what the cluster changes is seen without a restart where the program looks again
#    (routing, roster, escalation, channels, trust.json).
# 2. Keys are copied where the folder has none, readable by their owner only. A changed key (`tongbao rotate`) is
#    never put back.
set -eu
umask 077
folder=$1 settings=${2:-/etc/tongbao} keys=${3:-/run/secrets/tongbao}

for file in "$settings"/*; do
    ln -sfn "$file" "$folder/$(basename "$file")"
done
cd "$keys"
for file in tls.pem keys/*.pem keys/seal/*.pem keys/*.pass; do
    [ -e "$file" ] || continue
    [ -e "$folder/$file" ] || install -D -m 600 "$file" "$folder/$file"
done
