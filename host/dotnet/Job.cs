// A job in C# that gets a secret from Azure Key Vault by libvaultlet, with nothing but P/Invoke.
//
//   mcs Job.cs && LD_LIBRARY_PATH=… mono Job.exe akv://my-key-vault/db-password
//
// The classes can be copied into any program, for .NET or Mono.

using System;
using System.Runtime.InteropServices;
using System.Text;

public static class Job
{
    public static int Main(string[] arguments)
    {
        try
        {
            using (var vaultlet = new Vaultlet())
            using (var secret = vaultlet.Get(arguments[0]))
            {
                Console.Error.WriteLine("got {0}", secret);
                Console.Write(secret.Reveal());
                return 0;
            }
        }
        catch (VaultletException failed) when (failed.Kind == VaultletKind.Denied)
        {
            Console.Error.WriteLine("denied: {0}", failed.Message);
            return 77;
        }
        catch (VaultletException failed)
        {
            Console.Error.WriteLine("{0} ({1})", failed.Message, failed.Kind);
            return 1;
        }
    }
}

/// <summary>A handle. Any number of threads may use it at once.</summary>
public sealed class Vaultlet : SafeHandle
{
    private const uint Abi = 1;

    /// <summary>Opens a handle with the settings of the environment.</summary>
    public Vaultlet() : base(IntPtr.Zero, true)
    {
        VaultletException.Check(Native.vaultlet_open(Abi, IntPtr.Zero, out handle));
    }

    /// <summary>Gets a secret, and blocks until it is there.</summary>
    /// <exception cref="VaultletException">The secret cannot be got.</exception>
    public Secret Get(string reference)
    {
        IntPtr secret;
        VaultletException.Check(
            Native.vaultlet_get(this, Text.ToNative(reference), IntPtr.Zero, out secret));
        return new Secret(secret);
    }

    public override bool IsInvalid
    {
        get { return handle == IntPtr.Zero; }
    }

    protected override bool ReleaseHandle()
    {
        Native.vaultlet_close(handle);
        return true;
    }
}

/// <summary>A secret. Its value is in the memory of the library; Dispose scrubs it.</summary>
public sealed class Secret : SafeHandle
{
    private readonly string reference;

    internal Secret(IntPtr secret) : base(IntPtr.Zero, true)
    {
        SetHandle(secret);
        var properties = (Native.Properties)Marshal.PtrToStructure(
            Native.vaultlet_secret_properties(secret), typeof(Native.Properties));
        reference = "akv://" + Text.FromNative(properties.Vault) + "/" + Text.FromNative(properties.Name)
            + "/" + Text.FromNative(properties.Version);
    }

    /// <summary>Returns the value as a string, which cannot be scrubbed.</summary>
    public string Reveal()
    {
        bool held = false;
        try
        {
            DangerousAddRef(ref held);
            UIntPtr length;
            IntPtr text = Native.vaultlet_secret_reveal(handle, out length);
            byte[] bytes = new byte[(int)length];
            Marshal.Copy(text, bytes, 0, bytes.Length);
            string value = Encoding.UTF8.GetString(bytes);
            Array.Clear(bytes, 0, bytes.Length);
            return value;
        }
        finally
        {
            if (held)
            {
                DangerousRelease();
            }
        }
    }

    /// <summary>Returns the reference, never the value.</summary>
    public override string ToString()
    {
        return reference;
    }

    public override bool IsInvalid
    {
        get { return handle == IntPtr.Zero; }
    }

    protected override bool ReleaseHandle()
    {
        Native.vaultlet_secret_free(handle);
        return true;
    }
}

/// <summary>What a program can do about an error.</summary>
public enum VaultletKind
{
    Usage = 1, InvalidArgument, NotFound, Disabled, Unavailable, Timeout, Internal, Conflict,
    Throttled, Denied, Configuration, NotConfigured, Unauthenticated
}

/// <summary>The error of a call. The message is the line that the command line prints.</summary>
public sealed class VaultletException : Exception
{
    private VaultletException(Native.Error error) : base(Text.FromNative(error.Line))
    {
        Kind = (VaultletKind)error.Kind;
        Id = Text.FromNative(error.Id);
        Help = Text.FromNative(error.Help);
        Status = error.Status;
        Code = Text.FromNative(error.Code);
        RequestId = Text.FromNative(error.RequestId);
        RetryAfter = error.RetryAfter == long.MinValue
            ? (TimeSpan?)null
            : TimeSpan.FromMilliseconds(error.RetryAfter);
    }

    public VaultletKind Kind { get; }

    /// <summary>The stable id of the error; `vaultlet explain` says more about it.</summary>
    public string Id { get; }

    /// <summary>What a person can do about it; may be empty.</summary>
    public string Help { get; }

    /// <summary>The HTTP status of the response; 0 if there was none.</summary>
    public int Status { get; }

    /// <summary>The error code of the service, or null.</summary>
    public string Code { get; }

    /// <summary>The request id of the service, or null.</summary>
    public string RequestId { get; }

    /// <summary>How long the service asks to wait, or null.</summary>
    public TimeSpan? RetryAfter { get; }

    internal static void Check(IntPtr error)
    {
        if (error == IntPtr.Zero)
        {
            return;
        }
        var failed = new VaultletException(
            (Native.Error)Marshal.PtrToStructure(error, typeof(Native.Error)));
        Native.vaultlet_error_free(error);
        throw failed;
    }
}

internal static class Text
{
    /// <summary>Returns a text as UTF-8 with a NUL after it.</summary>
    internal static byte[] ToNative(string text)
    {
        if (text.IndexOf('\0') >= 0)
        {
            throw new ArgumentException("a reference cannot contain NUL");
        }
        return Encoding.UTF8.GetBytes(text + "\0");
    }

    internal static string FromNative(IntPtr text)
    {
        if (text == IntPtr.Zero)
        {
            return null;
        }
        int length = 0;
        while (Marshal.ReadByte(text, length) != 0)
        {
            length++;
        }
        byte[] bytes = new byte[length];
        Marshal.Copy(text, bytes, 0, length);
        return Encoding.UTF8.GetString(bytes);
    }
}

/// <summary>The functions and structs of vaultlet.h that are used here.</summary>
internal static class Native
{
    private const string Library = "vaultlet";

    [StructLayout(LayoutKind.Sequential)]
    internal struct Error
    {
        internal int Kind;
        internal int Status;
        internal long RetryAfter;
        internal IntPtr KindName, Id, Message, Help, Code, RequestId, Line, Attempts;
        internal UIntPtr AttemptsLength;
    }

    /// <summary>The first members of the struct.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct Properties
    {
        internal IntPtr Vault, Name, Version;
    }

    [DllImport(Library)]
    internal static extern IntPtr vaultlet_open(uint abi, IntPtr options, out IntPtr vaultlet);

    [DllImport(Library)]
    internal static extern void vaultlet_close(IntPtr vaultlet);

    [DllImport(Library)]
    internal static extern IntPtr vaultlet_get(
        Vaultlet vaultlet, byte[] reference, IntPtr call, out IntPtr secret);

    [DllImport(Library)]
    internal static extern IntPtr vaultlet_secret_reveal(IntPtr secret, out UIntPtr length);

    [DllImport(Library)]
    internal static extern IntPtr vaultlet_secret_properties(IntPtr secret);

    [DllImport(Library)]
    internal static extern void vaultlet_secret_free(IntPtr secret);

    [DllImport(Library)]
    internal static extern void vaultlet_error_free(IntPtr error);
}
