package dev.vaultlet;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;
import java.util.Arrays;

/** The C ABI by {@code java.lang.foreign}. */
final class FfmAbi implements Abi {
    private static final MemorySegment EVERYTHING = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

    private final SymbolLookup library;
    private final MemorySegment version;
    private final MemorySegment optionsNew;
    private final MemorySegment optionsSet;
    private final MemorySegment optionsVariable;
    private final MemorySegment optionsFree;
    private final MemorySegment open;
    private final MemorySegment close;
    private final MemorySegment plan;
    private final MemorySegment getThen;
    private final MemorySegment getManyThen;
    private final MemorySegment listThen;
    private final MemorySegment versionsThen;
    private final MemorySegment getTokenThen;
    private final MemorySegment cancelNew;
    private final MemorySegment cancelNow;
    private final MemorySegment cancelFree;
    private final MemorySegment secretReveal;
    private final MemorySegment secretProperties;
    private final MemorySegment secretFree;
    private final MemorySegment secretsFree;
    private final MemorySegment listingFree;
    private final MemorySegment tokenReveal;
    private final MemorySegment tokenIdentity;
    private final MemorySegment tokenFree;
    private final MemorySegment textFree;
    private final MemorySegment errorFree;

    FfmAbi(String name) {
        Path path = Path.of(name);
        try {
            library = path.isAbsolute()
                    ? SymbolLookup.libraryLookup(path, Arena.global())
                    : SymbolLookup.libraryLookup(name, Arena.global());
        } catch (IllegalArgumentException refused) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(refused.getMessage());
            error.initCause(refused);
            throw error;
        }
        version = function("vaultlet_version");
        optionsNew = function("vaultlet_options_new");
        optionsSet = function("vaultlet_options_set");
        optionsVariable = function("vaultlet_options_variable");
        optionsFree = function("vaultlet_options_free");
        open = function("vaultlet_open");
        close = function("vaultlet_close");
        plan = function("vaultlet_plan");
        getThen = function("vaultlet_get_then");
        getManyThen = function("vaultlet_get_many_then");
        listThen = function("vaultlet_list_then");
        versionsThen = function("vaultlet_versions_then");
        getTokenThen = function("vaultlet_get_token_then");
        cancelNew = function("vaultlet_cancel_new");
        cancelNow = function("vaultlet_cancel_now");
        cancelFree = function("vaultlet_cancel_free");
        secretReveal = function("vaultlet_secret_reveal");
        secretProperties = function("vaultlet_secret_properties");
        secretFree = function("vaultlet_secret_free");
        secretsFree = function("vaultlet_secrets_free");
        listingFree = function("vaultlet_listing_free");
        tokenReveal = function("vaultlet_token_reveal");
        tokenIdentity = function("vaultlet_token_identity");
        tokenFree = function("vaultlet_token_free");
        textFree = function("vaultlet_text_free");
        errorFree = function("vaultlet_error_free");
    }

    private MemorySegment function(String name) {
        MemorySegment function = library.find(name).orElse(null);
        if (function == null) {
            throw new UnsatisfiedLinkError("the library has no " + name + "; is it vaultlet's?");
        }
        return function;
    }

    @Override
    public Memory memory() {
        return new Memory() {
            private final Arena arena = Arena.ofConfined();

            @Override
            public long allocate(long size) {
                return arena.allocate(size, Long.BYTES).address();
            }

            @Override
            public void close() {
                arena.close();
            }
        };
    }

    @Override
    public byte[] read(long address, int length) {
        byte[] bytes = new byte[length];
        MemorySegment.copy(EVERYTHING, JAVA_BYTE, address, bytes, 0, length);
        return bytes;
    }

    @Override
    public void write(long address, byte[] bytes) {
        MemorySegment.copy(bytes, 0, EVERYTHING, JAVA_BYTE, address, bytes.length);
    }

    @Override
    public String text(long address) {
        return EVERYTHING.getString(address);
    }

    @Override
    public long callback(Callback callback) {
        MethodType type = MethodType.methodType(void.class, long.class, long.class, long.class);
        try {
            MethodHandle ended = MethodHandles.lookup()
                    .findVirtual(Callback.class, "ended", type)
                    .bindTo(callback);
            FunctionDescriptor descriptor =
                    FunctionDescriptor.ofVoid(JAVA_LONG, JAVA_LONG, JAVA_LONG);
            return Linker.nativeLinker().upcallStub(ended, descriptor, Arena.global()).address();
        } catch (ReflectiveOperationException impossible) {
            throw new LinkageError("no callback", impossible);
        }
    }

    @Override
    public long vaultlet_version() {
        return give0(version);
    }

    @Override
    public long vaultlet_options_new() {
        return give0(optionsNew);
    }

    @Override
    public long vaultlet_options_set(long options, long name, long value) {
        return give3(optionsSet, options, name, value);
    }

    @Override
    public long vaultlet_options_variable(long options, long name, long value) {
        return give3(optionsVariable, options, name, value);
    }

    @Override
    public void vaultlet_options_free(long options) {
        run1(optionsFree, options);
    }

    @Override
    public long vaultlet_open(long abi, long options, long out) {
        return give3(open, abi, options, out);
    }

    @Override
    public void vaultlet_close(long vaultlet) {
        run1(close, vaultlet);
    }

    @Override
    public long vaultlet_plan(long vaultlet, long reference, long call, long out) {
        return give4(plan, vaultlet, reference, call, out);
    }

    @Override
    public void vaultlet_get_then(
            long vaultlet, long reference, long call, long then, long context) {
        run5(getThen, vaultlet, reference, call, then, context);
    }

    @Override
    public void vaultlet_get_many_then(
            long vaultlet, long references, long len, long call, long then, long context) {
        run6(getManyThen, vaultlet, references, len, call, then, context);
    }

    @Override
    public void vaultlet_list_then(long vaultlet, long vault, long call, long then, long context) {
        run5(listThen, vaultlet, vault, call, then, context);
    }

    @Override
    public void vaultlet_versions_then(
            long vaultlet, long reference, long call, long then, long context) {
        run5(versionsThen, vaultlet, reference, call, then, context);
    }

    @Override
    public void vaultlet_get_token_then(
            long vaultlet, long request, long call, long then, long context) {
        run5(getTokenThen, vaultlet, request, call, then, context);
    }

    @Override
    public long vaultlet_cancel_new() {
        return give0(cancelNew);
    }

    @Override
    public void vaultlet_cancel_now(long cancel) {
        run1(cancelNow, cancel);
    }

    @Override
    public void vaultlet_cancel_free(long cancel) {
        run1(cancelFree, cancel);
    }

    @Override
    public long vaultlet_secret_reveal(long secret, long len) {
        return give2(secretReveal, secret, len);
    }

    @Override
    public long vaultlet_secret_properties(long secret) {
        return give1(secretProperties, secret);
    }

    @Override
    public void vaultlet_secret_free(long secret) {
        run1(secretFree, secret);
    }

    @Override
    public void vaultlet_secrets_free(long secrets) {
        run1(secretsFree, secrets);
    }

    @Override
    public void vaultlet_listing_free(long listing) {
        run1(listingFree, listing);
    }

    @Override
    public long vaultlet_token_reveal(long token, long len) {
        return give2(tokenReveal, token, len);
    }

    @Override
    public long vaultlet_token_identity(long token) {
        return give1(tokenIdentity, token);
    }

    @Override
    public void vaultlet_token_free(long token) {
        run1(tokenFree, token);
    }

    @Override
    public void vaultlet_text_free(long text) {
        run1(textFree, text);
    }

    @Override
    public void vaultlet_error_free(long error) {
        run1(errorFree, error);
    }

    // A shape of functions is made when the first of it is called, as each costs a start some
    // milliseconds. An address is a long to the calling convention of every 64-bit platform, and
    // so is a small number.

    private static MethodHandle answering(int given) {
        return shape(FunctionDescriptor.of(JAVA_LONG, longs(given)));
    }

    private static MethodHandle running(int given) {
        return shape(FunctionDescriptor.ofVoid(longs(given)));
    }

    private static MethodHandle shape(FunctionDescriptor descriptor) {
        return Linker.nativeLinker().downcallHandle(descriptor);
    }

    private static MemoryLayout[] longs(int count) {
        MemoryLayout[] longs = new MemoryLayout[count];
        Arrays.fill(longs, JAVA_LONG);
        return longs;
    }

    private static final class Give0 {
        static final MethodHandle CALL = answering(0);
    }

    private static long give0(MemorySegment function) {
        try {
            return (long) Give0.CALL.invokeExact(function);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give1 {
        static final MethodHandle CALL = answering(1);
    }

    private static long give1(MemorySegment function, long a) {
        try {
            return (long) Give1.CALL.invokeExact(function, a);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give2 {
        static final MethodHandle CALL = answering(2);
    }

    private static long give2(MemorySegment function, long a, long b) {
        try {
            return (long) Give2.CALL.invokeExact(function, a, b);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give3 {
        static final MethodHandle CALL = answering(3);
    }

    private static long give3(MemorySegment function, long a, long b, long c) {
        try {
            return (long) Give3.CALL.invokeExact(function, a, b, c);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Give4 {
        static final MethodHandle CALL = answering(4);
    }

    private static long give4(MemorySegment function, long a, long b, long c, long d) {
        try {
            return (long) Give4.CALL.invokeExact(function, a, b, c, d);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Run1 {
        static final MethodHandle CALL = running(1);
    }

    private static void run1(MemorySegment function, long a) {
        try {
            Run1.CALL.invokeExact(function, a);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Run5 {
        static final MethodHandle CALL = running(5);
    }

    private static void run5(MemorySegment function, long a, long b, long c, long d, long e) {
        try {
            Run5.CALL.invokeExact(function, a, b, c, d, e);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }

    private static final class Run6 {
        static final MethodHandle CALL = running(6);
    }

    private static void run6(
            MemorySegment function, long a, long b, long c, long d, long e, long f) {
        try {
            Run6.CALL.invokeExact(function, a, b, c, d, e, f);
        } catch (Throwable impossible) {
            throw new LinkageError("no call", impossible);
        }
    }
}
