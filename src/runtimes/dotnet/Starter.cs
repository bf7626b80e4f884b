// Starts a function that is a class library, through the official package: Starter.dll ASSEMBLY::TYPE::METHOD
//
// Executed with the function's own list of assemblies (dotnet exec --depsfile), which knows neither this file's package nor
// what that needs. They lie beside this file and are taken from there when the function does not bring them itself.

using System;
using System.IO;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using Amazon.Lambda.RuntimeSupport;

namespace Lambent
{
    public static class Starter
    {
        public static void Main(string[] arguments)
        {
            string here = Path.GetDirectoryName(typeof(Starter).Assembly.Location);
            AssemblyLoadContext.Default.Resolving += (context, name) =>
            {
                string path = Path.Combine(here, name.Name + ".dll");
                return File.Exists(path) ? context.LoadFromAssemblyPath(path) : null;
            };
            Run(arguments[0]);
        }

        // On its own: a method's types are looked for when it is compiled, and for this one somebody must answer by then.
        [MethodImpl(MethodImplOptions.NoInlining)]
        private static void Run(string handler)
        {
            new RuntimeSupportInitializer(handler).RunLambdaBootstrap().GetAwaiter().GetResult();
        }
    }
}
