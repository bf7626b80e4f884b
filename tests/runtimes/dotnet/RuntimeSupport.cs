// Stands in for NuGet's package of this name, which not every test machine can reach: the one class that the starter uses, by hand
// against the Runtime API. A handler takes the event's text and returns the answer's.

using System;
using System.IO;
using System.Net;
using System.Reflection;
using System.Text;
using System.Threading.Tasks;

namespace Amazon.Lambda.RuntimeSupport
{
    public class RuntimeSupportInitializer
    {
        private static readonly string Api =
            "http://" + Environment.GetEnvironmentVariable("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";
        private readonly string handler;

        public RuntimeSupportInitializer(string handler)
        {
            this.handler = handler;
        }

        public Task RunLambdaBootstrap()
        {
            string[] names = handler.Split(new[] { "::" }, StringSplitOptions.None);
            MethodInfo method = Assembly.Load(names[0]).GetType(names[1], true).GetMethod(names[2]);
            object function = Activator.CreateInstance(method.DeclaringType);
            return Serve(said => (string)method.Invoke(function, new object[] { said }));
        }

        public static Task Serve(Func<string, string> function)
        {
            while (true)
            {
                string id, said;
                using (WebResponse answer = WebRequest.CreateHttp(Api + "next").GetResponse())
                using (var reader = new StreamReader(answer.GetResponseStream()))
                {
                    id = answer.Headers["Lambda-Runtime-Aws-Request-Id"];
                    said = reader.ReadToEnd();
                }
                try
                {
                    Post(id + "/response", function(said));
                }
                catch (TargetInvocationException error)
                {
                    Exception inner = error.InnerException;
                    Post(id + "/error", "{\"errorType\":\"" + inner.GetType().Name + "\",\"errorMessage\":\"" + inner.Message + "\"}");
                }
            }
        }

        private static void Post(string path, string text)
        {
            HttpWebRequest request = WebRequest.CreateHttp(Api + path);
            request.Method = "POST";
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            using (Stream stream = request.GetRequestStream()) stream.Write(bytes, 0, bytes.Length);
            request.GetResponse().Close();
        }
    }
}
