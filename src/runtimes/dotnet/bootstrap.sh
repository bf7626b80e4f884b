#!/bin/sh
# What a .NET runtime executes in the sandbox: bootstrap.sh DOTNET HEAP. Finds what the handler means among the function's files
# and becomes it. HEAP (bytes, hexadecimal) bounds the heap unless the function or its project does: .NET would take this
# machine's memory for the function's.
#
# A handler with colons, ASSEMBLY::TYPE::METHOD, is in a class library, which /var/lang/lambda/Starter.dll starts. One without
# is a program that asks for its events itself: an assembly, or native code. Statuses 103 to 106 are those of AWS's bootstrap; 107
# is ours.
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

# Unless the function's variables or its project's settings, in this file, say something of it: a variable outweighs a setting.
bound_heap() {
  for own in DOTNET_GCHeapHardLimit DOTNET_GCHeapHardLimitPercent COMPlus_GCHeapHardLimit COMPlus_GCHeapHardLimitPercent; do
    eval "[ -z \"\${$own:-}\" ]" || return 0
  done
  if grep -qs HeapHardLimit "$1"; then return 0; fi
  export DOTNET_GCHeapHardLimit="$heap" COMPlus_GCHeapHardLimit="$heap"
}

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
    bound_heap "$file"
    exec "$dotnet" exec --depsfile "$assemblies" --runtimeconfig "$file" "$starter" "$handler"
    ;;
  *)
    program=$root/${handler%.dll}
    if [ -f "$program.dll" ]; then
      bound_heap "$program.runtimeconfig.json"
      exec "$dotnet" exec "$program.dll"
    fi
    [ -f "$program" ] || fail 104 "the package has neither ${handler%.dll}.dll nor a program ${handler%.dll}"
    exec "$program"
    ;;
esac
