package dev.vaultlet;

import com.sun.jna.CallbackReference;
import com.sun.jna.CallbackThreadInitializer;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.util.Arrays;

/** The C ABI by JNA's direct mapping. */
final class JnaAbi implements Abi {
    /** Held, because JNA unloads a library that nobody holds, under the threads that run in it. */
    private static NativeLibrary library;

    /** Held, because C does not. */
    private Then then;

    JnaAbi(String path) {
        library = NativeLibrary.getInstance(path);
        Native.register(JnaAbi.class, library);
    }

    /** The form of a callback that JNA knows. */
    interface Then extends com.sun.jna.Callback {
        void invoke(long context, long error, long result);
    }

    @Override
    public Memory memory() {
        return new Blocks();
    }

    /** Blocks of malloc, which is aligned for anything. */
    private static final class Blocks implements Memory {
        private long[] blocks = new long[4];
        private int count;

        @Override
        public long allocate(long size) {
            if (count == blocks.length) {
                blocks = Arrays.copyOf(blocks, 2 * count);
            }
            long block = Native.malloc(size);
            if (block == 0) {
                throw new OutOfMemoryError("native memory");
            }
            blocks[count++] = block;
            new Pointer(block).clear(size);
            return block;
        }

        @Override
        public void close() {
            while (count > 0) {
                Native.free(blocks[--count]);
            }
        }
    }

    @Override
    public byte[] read(long address, int length) {
        return new Pointer(address).getByteArray(0, length);
    }

    @Override
    public void write(long address, byte[] bytes) {
        new Pointer(address).write(0, bytes, 0, bytes.length);
    }

    @Override
    public String text(long address) {
        return new Pointer(address).getString(0, "UTF-8");
    }

    @Override
    public long callback(Callback callback) {
        then = new Then() {
            @Override
            public void invoke(long context, long error, long result) {
                callback.ended(context, error, result);
            }
        };
        // The library's threads stay known to the virtual machine, as telling it for each call would
        // slow the call; they do not keep it alive.
        Native.setCallbackThreadInitializer(
                then, new CallbackThreadInitializer(true, false, "vaultlet"));
        return Pointer.nativeValue(CallbackReference.getFunctionPointer(then));
    }

    @Override
    public native long vaultlet_version();

    @Override
    public native long vaultlet_options_new();

    @Override
    public native long vaultlet_options_set(long options, long name, long value);

    @Override
    public native long vaultlet_options_variable(long options, long name, long value);

    @Override
    public native void vaultlet_options_free(long options);

    @Override
    public native long vaultlet_open(long abi, long options, long out);

    @Override
    public native void vaultlet_close(long vaultlet);

    @Override
    public native long vaultlet_plan(long vaultlet, long reference, long call, long out);

    @Override
    public native long vaultlet_get(long vaultlet, long reference, long call, long out);

    @Override
    public native long vaultlet_get_many(
            long vaultlet, long references, long len, long call, long out);

    @Override
    public native long vaultlet_list(long vaultlet, long vault, long call, long out);

    @Override
    public native long vaultlet_versions(long vaultlet, long reference, long call, long out);

    @Override
    public native long vaultlet_get_token(long vaultlet, long request, long call, long out);

    @Override
    public native void vaultlet_get_then(
            long vaultlet, long reference, long call, long then, long context);

    @Override
    public native void vaultlet_get_many_then(
            long vaultlet, long references, long len, long call, long then, long context);

    @Override
    public native void vaultlet_list_then(
            long vaultlet, long vault, long call, long then, long context);

    @Override
    public native void vaultlet_versions_then(
            long vaultlet, long reference, long call, long then, long context);

    @Override
    public native void vaultlet_get_token_then(
            long vaultlet, long request, long call, long then, long context);

    @Override
    public native long vaultlet_cancel_new();

    @Override
    public native void vaultlet_cancel_now(long cancel);

    @Override
    public native void vaultlet_cancel_free(long cancel);

    @Override
    public native long vaultlet_secret_reveal(long secret, long len);

    @Override
    public native long vaultlet_secret_properties(long secret);

    @Override
    public native void vaultlet_secret_free(long secret);

    @Override
    public native void vaultlet_secrets_free(long secrets);

    @Override
    public native void vaultlet_listing_free(long listing);

    @Override
    public native long vaultlet_token_reveal(long token, long len);

    @Override
    public native long vaultlet_token_identity(long token);

    @Override
    public native void vaultlet_token_free(long token);

    @Override
    public native void vaultlet_text_free(long text);

    @Override
    public native void vaultlet_error_free(long error);
}
