#!/bin/sh
# Takes a Node.js from the npm package that carries it: npm.sh DIR PACKAGE MAJOR. DIR becomes /var/lang of a sandbox with the
# host's root. npm checks the archive against the registry's digest; no script of a package is run.
set -eu
umask 022
dir=$1 package=$2 major=$3
mkdir -p "$dir/download"
npm install --prefix "$dir/download" --ignore-scripts --no-audit --no-fund --no-save --loglevel=error "$package@$major" >/dev/null
mkdir -p "$dir/bin" "$dir/lib"
mv "$dir/download/node_modules/$package/bin/node" "$dir/bin/node"
chmod 755 "$dir/bin/node"
rm -rf "$dir/download"
"$dir/bin/node" --version >/dev/null
