#!/bin/sh
# Builds what starts .NET functions that are class libraries: dotnet.sh DIR DOTNET MAJOR SOURCES. DIR becomes /var/lang of a
# sandbox with the host's root, whose DOTNET runs it. NuGet, in the SDK, checks the packages' signatures and digests.
set -eu
umask 022
dir=$1 dotnet=$2 major=$3 sources=$4
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export HOME="${HOME:-/root}"
"$dotnet" publish "$sources/Starter.csproj" --configuration Release --output "$dir/lambda" "-p:Framework=net$major.0" --verbosity quiet
[ -f "$dir/lambda/Starter.dll" ]
[ -f "$dir/lambda/Amazon.Lambda.RuntimeSupport.dll" ]
