package dev.vaultlet;

/**
 * The C ABI of {@code vaultlet.h}, version 1. Every pointer is its address: the layouts are read
 * and written in one place ({@link Layouts}, {@link Arguments}), and what differs between JNA and
 * {@code java.lang.foreign} is only how a function is called.
 *
 * <p>Functions have the names of the header. Those that can fail return the address of an error,
 * or 0.
 */
interface Abi {
    /** {@code VAULTLET_ABI} of the header that this was written against. */
    int VERSION = 1;

    /** How a call ends; on a thread of the library, which must not be kept waiting. */
    interface Callback {
        /** Never throws: exactly one of {@code error} and {@code result} is not 0. */
        void ended(long context, long error, long result);
    }

    /** Memory that C can read, until it is closed; of one thread. */
    interface Memory extends AutoCloseable {
        /** Zeroed, and aligned for what vaultlet's structures hold. */
        long allocate(long size);

        @Override
        void close();
    }

    Memory memory();

    byte[] read(long address, int length);

    void write(long address, byte[] bytes);

    /** A UTF-8 text that ends with NUL. */
    String text(long address);

    /** What C can call, for as long as the process lives. */
    long callback(Callback callback);

    long vaultlet_version();

    long vaultlet_options_new();

    long vaultlet_options_set(long options, long name, long value);

    long vaultlet_options_variable(long options, long name, long value);

    void vaultlet_options_free(long options);

    long vaultlet_open(long abi, long options, long out);

    void vaultlet_close(long vaultlet);

    long vaultlet_plan(long vaultlet, long reference, long call, long out);

    long vaultlet_get(long vaultlet, long reference, long call, long out);

    long vaultlet_get_many(long vaultlet, long references, long len, long call, long out);

    long vaultlet_list(long vaultlet, long vault, long call, long out);

    long vaultlet_versions(long vaultlet, long reference, long call, long out);

    long vaultlet_get_token(long vaultlet, long request, long call, long out);

    void vaultlet_get_then(long vaultlet, long reference, long call, long then, long context);

    void vaultlet_get_many_then(
            long vaultlet, long references, long len, long call, long then, long context);

    void vaultlet_list_then(long vaultlet, long vault, long call, long then, long context);

    void vaultlet_versions_then(long vaultlet, long reference, long call, long then, long context);

    void vaultlet_get_token_then(long vaultlet, long request, long call, long then, long context);

    long vaultlet_cancel_new();

    void vaultlet_cancel_now(long cancel);

    void vaultlet_cancel_free(long cancel);

    long vaultlet_secret_reveal(long secret, long len);

    long vaultlet_secret_properties(long secret);

    void vaultlet_secret_free(long secret);

    void vaultlet_secrets_free(long secrets);

    void vaultlet_listing_free(long listing);

    long vaultlet_token_reveal(long token, long len);

    long vaultlet_token_identity(long token);

    void vaultlet_token_free(long token);

    void vaultlet_text_free(long text);

    void vaultlet_error_free(long error);
}
