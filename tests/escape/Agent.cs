// The hostile function, for .NET: its steps are those of agent.c, called within this process, but for what is .NET's own.
using System;
using System.Collections.Generic;
using System.Linq;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;
using Amazon.Lambda.RuntimeSupport;

public static class Agent
{
    private static readonly List<string> kept = new List<string>();
    private static long ticks;

    [DllImport("agent")]
    private static extern IntPtr agent_answer(byte[] packed, byte[] id);

    public static void Main()
    {
        RuntimeSupportInitializer.Serve(Answer).Wait();
    }

    private static string Answer(string said)
    {
        return "[" + string.Join(",", said.Trim('"').Split(';').Select(Step)) + "]";
    }

    private static string Step(string packed)
    {
        string[] words = packed.Split(',');
        switch (Unpack(words[0]))
        {
            case "remember": kept.Add(Unpack(words[1])); return Kept();
            case "recall": return Kept();
            case "tick": Tick(); return Ticks();
            case "ticks": return Ticks();
        }
        string list = Marshal.PtrToStringAnsi(agent_answer(Encoding.ASCII.GetBytes(packed + "\0"), new byte[1]));
        return list.Substring(1, list.Length - 2);
    }

    private static string Unpack(string digits)
    {
        var bytes = new byte[digits.Length / 2];
        for (int i = 0; i < bytes.Length; ++i) bytes[i] = Convert.ToByte(digits.Substring(2 * i, 2), 16);
        return Encoding.UTF8.GetString(bytes);
    }

    private static string Kept()
    {
        string list = kept.Count == 0 ? "" : "\"" + string.Join("\",\"", kept) + "\"";
        return "{\"ok\":[" + list + "]}";
    }

    private static string Ticks()
    {
        return "{\"ok\":" + Interlocked.Read(ref ticks) + "}";
    }

    /// A thread that goes on after the answer, with a packet each millisecond, once it has sent a hundred.
    private static void Tick()
    {
        var thread = new Thread(() =>
        {
            var packets = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var nobody = new IPEndPoint(IPAddress.Loopback, 9);
            for (; ; Thread.Sleep(1))
            {
                packets.SendTo(new byte[1], nobody);
                Interlocked.Increment(ref ticks);
            }
        });
        thread.IsBackground = true;
        thread.Start();
        while (Interlocked.Read(ref ticks) < 100) Thread.Sleep(1);
    }
}
