#!/bin/sh
# Builds what starts .NET functions that are class libraries: dotnet.sh DIR DOTNET MAJOR SOURCES. DIR becomes /var/lang of a
# sandbox with the host's root, whose DOTNET runs it. NuGet, in the SDK, checks the signatures of packages that have one.
set -eu
umask 022
dir=$1 dotnet=$2 major=$3 sources=$4
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export HOME="${HOME:-/root}"
# Where all directories above are root's: the SDK takes settings from each of them, and some of those are code.
work=$(mktemp -d /run/lambent-dotnet-XXXXXX)
trap 'rm -rf "$work"' EXIT
cp "$sources/Starter.cs" "$sources/Starter.csproj" "$work"
cd "$work"
"$dotnet" publish "$work/Starter.csproj" --configuration Release --output "$dir/lambda" "-p:Framework=net$major.0" --verbosity quiet
[ -f "$dir/lambda/Starter.dll" ]
[ -f "$dir/lambda/Amazon.Lambda.RuntimeSupport.dll" ]
