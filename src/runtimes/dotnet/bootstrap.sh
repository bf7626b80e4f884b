#!/bin/sh
# What a .NET runtime executes in the sandbox: bootstrap.sh DOTNET HEAP. Finds what the handler means among the function's files
# and becomes it. HEAP (bytes, hexadecimal) bounds the heap of a function that says nothing of its own: .NET would take this
# machine's memory for the function's.
#
# A handler with colons, ASSEMBLY::TYPE::METHOD, is in a class library, which /var/lang/lambda/Starter.dll starts. One without
# is a program that asks for its events itself: an assembly, or native code. Statuses as those of AWS's bootstrap.
set -u
dotnet=$1 heap=$2
root=${LAMBDA_TASK_ROOT:-/var/task} handler=${_HANDLER:-}
starter=/var/lang/lambda/Starter.dll

fail() {
  printf 'Error: %s\n' "$2" >&2
  exit "$1"
}

# The assembly's file of that kind, or the only one of the kind, as an assembly may have another name than its project.
file_of() {
  file=$root/$1.$2
  if [ -f "$file" ]; then return 0; fi
  set -- "$root"/*."$2"
  file=$1
  [ $# = 1 ] && [ -f "$file" ]
}

if [ -z "${DOTNET_GCHeapHardLimit:-}${DOTNET_GCHeapHardLimitPercent:-}${COMPlus_GCHeapHardLimit:-}" ]; then
  export DOTNET_GCHeapHardLimit="$heap" COMPlus_GCHeapHardLimit="$heap"
fi
# Without the library of languages and cultures .NET does not start, unless it is told to do without.
if [ -z "${DOTNET_SYSTEM_GLOBALIZATION_INVARIANT:-}" ]; then
  set -- /usr/lib/*/libicuuc.so.* /usr/lib*/libicuuc.so.*
  for library; do
    if [ -e "$library" ]; then break; fi
  done
  [ -e "$library" ] || export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
fi

case $handler in
  '') fail 103 "there is no handler" ;;
  *:*)
    assembly=${LAMBDA_DOTNET_MAIN_ASSEMBLY:-${handler%%:*}}
    assembly=${assembly%.dll}
    file_of "$assembly" deps.json || fail 105 "the package has no $assembly.deps.json"
    assemblies=$file
    file_of "$assembly" runtimeconfig.json || fail 106 "the package has no $assembly.runtimeconfig.json: set GenerateRuntimeConfigurationFiles in the project"
    [ -f "$starter" ] || fail 107 "a class library needs the package Amazon.Lambda.RuntimeSupport here: \`lambent runtimes install\` brings it for .NET 8 and 10"
    exec "$dotnet" exec --depsfile "$assemblies" --runtimeconfig "$file" "$starter" "$handler"
    ;;
  *)
    program=$root/${handler%.dll}
    if [ -f "$program.dll" ]; then exec "$dotnet" exec "$program.dll"; fi
    [ -f "$program" ] || fail 104 "the package has neither ${handler%.dll}.dll nor a program ${handler%.dll}"
    exec "$program"
    ;;
esac
