package dev.vaultlet;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.file.Path;

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
    private final MemorySegment get;
    private final MemorySegment getMany;
    private final MemorySegment list;
    private final MemorySegment versions;
    private final MemorySegment getToken;
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
        get = function("vaultlet_get");
        getMany = function("vaultlet_get_many");
        list = function("vaultlet_list");
        versions = function("vaultlet_versions");
        getToken = function("vaultlet_get_token");
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
        return Shapes.give0(version);
    }

    @Override
    public long vaultlet_options_new() {
        return Shapes.give0(optionsNew);
    }

    @Override
    public long vaultlet_options_set(long options, long name, long value) {
        return Shapes.give3(optionsSet, options, name, value);
    }

    @Override
    public long vaultlet_options_variable(long options, long name, long value) {
        return Shapes.give3(optionsVariable, options, name, value);
    }

    @Override
    public void vaultlet_options_free(long options) {
        Shapes.run1(optionsFree, options);
    }

    @Override
    public long vaultlet_open(long abi, long options, long out) {
        return Shapes.give3(open, abi, options, out);
    }

    @Override
    public void vaultlet_close(long vaultlet) {
        Shapes.run1(close, vaultlet);
    }

    @Override
    public long vaultlet_plan(long vaultlet, long reference, long call, long out) {
        return Shapes.give4(plan, vaultlet, reference, call, out);
    }

    @Override
    public long vaultlet_get(long vaultlet, long reference, long call, long out) {
        return Shapes.give4(get, vaultlet, reference, call, out);
    }

    @Override
    public long vaultlet_get_many(long vaultlet, long references, long len, long call, long out) {
        return Shapes.give5(getMany, vaultlet, references, len, call, out);
    }

    @Override
    public long vaultlet_list(long vaultlet, long vault, long call, long out) {
        return Shapes.give4(list, vaultlet, vault, call, out);
    }

    @Override
    public long vaultlet_versions(long vaultlet, long reference, long call, long out) {
        return Shapes.give4(versions, vaultlet, reference, call, out);
    }

    @Override
    public long vaultlet_get_token(long vaultlet, long request, long call, long out) {
        return Shapes.give4(getToken, vaultlet, request, call, out);
    }

    @Override
    public void vaultlet_get_then(
            long vaultlet, long reference, long call, long then, long context) {
        Shapes.run5(getThen, vaultlet, reference, call, then, context);
    }

    @Override
    public void vaultlet_get_many_then(
            long vaultlet, long references, long len, long call, long then, long context) {
        Shapes.run6(getManyThen, vaultlet, references, len, call, then, context);
    }

    @Override
    public void vaultlet_list_then(long vaultlet, long vault, long call, long then, long context) {
        Shapes.run5(listThen, vaultlet, vault, call, then, context);
    }

    @Override
    public void vaultlet_versions_then(
            long vaultlet, long reference, long call, long then, long context) {
        Shapes.run5(versionsThen, vaultlet, reference, call, then, context);
    }

    @Override
    public void vaultlet_get_token_then(
            long vaultlet, long request, long call, long then, long context) {
        Shapes.run5(getTokenThen, vaultlet, request, call, then, context);
    }

    @Override
    public long vaultlet_cancel_new() {
        return Shapes.give0(cancelNew);
    }

    @Override
    public void vaultlet_cancel_now(long cancel) {
        Shapes.run1(cancelNow, cancel);
    }

    @Override
    public void vaultlet_cancel_free(long cancel) {
        Shapes.run1(cancelFree, cancel);
    }

    @Override
    public long vaultlet_secret_reveal(long secret, long len) {
        return Shapes.give2(secretReveal, secret, len);
    }

    @Override
    public long vaultlet_secret_properties(long secret) {
        return Shapes.give1(secretProperties, secret);
    }

    @Override
    public void vaultlet_secret_free(long secret) {
        Shapes.run1(secretFree, secret);
    }

    @Override
    public void vaultlet_secrets_free(long secrets) {
        Shapes.run1(secretsFree, secrets);
    }

    @Override
    public void vaultlet_listing_free(long listing) {
        Shapes.run1(listingFree, listing);
    }

    @Override
    public long vaultlet_token_reveal(long token, long len) {
        return Shapes.give2(tokenReveal, token, len);
    }

    @Override
    public long vaultlet_token_identity(long token) {
        return Shapes.give1(tokenIdentity, token);
    }

    @Override
    public void vaultlet_token_free(long token) {
        Shapes.run1(tokenFree, token);
    }

    @Override
    public void vaultlet_text_free(long text) {
        Shapes.run1(textFree, text);
    }

    @Override
    public void vaultlet_error_free(long error) {
        Shapes.run1(errorFree, error);
    }
}
