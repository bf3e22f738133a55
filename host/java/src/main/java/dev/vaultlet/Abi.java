package dev.vaultlet;

import com.sun.jna.Native;
import com.sun.jna.Pointer;

/**
 * The functions of {@code vaultlet.h}, called by JNA's direct mapping, and access to native memory.
 *
 * <p>Functions keep the names of the header. Pointers are passed as addresses and integers as
 * longs, which every 64-bit calling convention allows. A function that can fail returns the address
 * of an error, or 0.
 *
 * <p>The first use of this class loads the library.
 */
final class Abi {
    /** {@code VAULTLET_ABI} of the header that this class was written against. */
    static final int VERSION = 1;

    static {
        Library.register(Abi.class);
    }

    private Abi() {}

    /** Allocates zeroed native memory, aligned for anything. */
    static long allocate(long size) {
        long block = Native.malloc(size);
        if (block == 0) {
            throw new OutOfMemoryError("native memory");
        }
        new Pointer(block).clear(size);
        return block;
    }

    static void free(long block) {
        Native.free(block);
    }

    /** Copies bytes out of native memory. */
    static byte[] read(long address, int length) {
        return new Pointer(address).getByteArray(0, length);
    }

    /** Copies bytes into native memory. */
    static void write(long address, byte[] bytes) {
        new Pointer(address).write(0, bytes, 0, bytes.length);
    }

    /** Reads a UTF-8 string that ends with NUL. */
    static String text(long address) {
        return new Pointer(address).getString(0, "UTF-8");
    }

    static native long vaultlet_version();

    static native long vaultlet_options_new();

    static native long vaultlet_options_set(long options, long name, long value);

    static native long vaultlet_options_variable(long options, long name, long value);

    static native void vaultlet_options_free(long options);

    static native long vaultlet_open(long abi, long options, long out);

    static native void vaultlet_close(long vaultlet);

    static native long vaultlet_plan(long vaultlet, long reference, long call, long out);

    static native long vaultlet_get(long vaultlet, long reference, long call, long out);

    static native long vaultlet_get_many(
            long vaultlet, long references, long len, long call, long out);

    static native long vaultlet_resolve_environment(
            long vaultlet, long request, long call, long out);

    static native long vaultlet_list(long vaultlet, long vault, long call, long out);

    static native long vaultlet_versions(long vaultlet, long reference, long call, long out);

    static native long vaultlet_get_token(long vaultlet, long request, long call, long out);

    static native void vaultlet_get_then(
            long vaultlet, long reference, long call, long then, long context);

    static native void vaultlet_get_many_then(
            long vaultlet, long references, long len, long call, long then, long context);

    static native void vaultlet_resolve_environment_then(
            long vaultlet, long request, long call, long then, long context);

    static native void vaultlet_list_then(
            long vaultlet, long vault, long call, long then, long context);

    static native void vaultlet_versions_then(
            long vaultlet, long reference, long call, long then, long context);

    static native void vaultlet_get_token_then(
            long vaultlet, long request, long call, long then, long context);

    static native long vaultlet_cancel_new();

    static native void vaultlet_cancel_now(long cancel);

    static native void vaultlet_cancel_free(long cancel);

    static native long vaultlet_secret_reveal(long secret, long len);

    static native long vaultlet_secret_properties(long secret);

    static native void vaultlet_secret_free(long secret);

    static native void vaultlet_secrets_free(long secrets);

    static native void vaultlet_environment_free(long environment);

    static native void vaultlet_listing_free(long listing);

    static native long vaultlet_token_reveal(long token, long len);

    static native long vaultlet_token_identity(long token);

    static native void vaultlet_token_free(long token);

    static native void vaultlet_text_free(long text);

    static native long vaultlet_error_variables(long error, long len);

    static native void vaultlet_error_free(long error);
}
