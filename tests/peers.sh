#!/usr/bin/env bash
# Installs from Debian what the tests run against: SIP phones and a proxy that are not ours, and human recordings.
set -euo pipefail
packages=(
    baresip-core kamailio sip-tester sipsak # independent SIP peers
    espeak-ng sox                           # voices and conversions
    pocketsphinx-testdata asterisk-core-sounds-en-wav asterisk-core-sounds-en # human speech with transcripts
    asterisk-moh-opsound-wav # hold music
)
missing=()
for package in "${packages[@]}"; do
    dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0
echo "The tests also need these Debian packages: ${missing[*]}"
if [ "$(id -u)" -eq 0 ]; then
    run=()
elif sudo -n true 2>/dev/null; then
    run=(sudo -n)
else
    echo "Install them as root:  apt-get install ${missing[*]}" >&2
    exit 1
fi
run+=(env DEBIAN_FRONTEND=noninteractive)
"${run[@]}" apt-get update -qq
# Kamailio is started by the tests themselves, never by the system.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '"${run[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${run[@]}" tee "$policy" >/dev/null
    "${run[@]}" chmod +x "$policy"
fi
"${run[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
