package dev.vaultlet;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Finds the native library, in this order: the system property {@code vaultlet.library}, the
 * variable {@code VAULTLET_LIBRARY}, the one in our jar, {@code java.library.path}, the system.
 */
final class Library {
    private Library() {}

    /** The one library of this process, loaded when it is first needed. */
    private static final class Loaded {
        static final Abi ABI = load();
    }

    /**
     * Loads it, if need be.
     *
     * @throws UnsatisfiedLinkError if there is none for this system
     */
    static Abi abi() {
        return Loaded.ABI;
    }

    private static Abi load() {
        String named = named(System.getProperty("vaultlet.library"));
        if (named == null) {
            named = named(System.getenv("VAULTLET_LIBRARY"));
        }
        if (named != null) {
            return Natives.load(named);
        }
        String file = System.mapLibraryName("vaultlet");
        String resource = "/natives/" + platform() + "/" + file;
        try (InputStream packaged = Library.class.getResourceAsStream(resource)) {
            if (packaged != null) {
                return unpack(packaged, file);
            }
        } catch (IOException failed) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(
                    "vaultlet's library cannot be unpacked: " + failed.getMessage()
                            + "; name one by -Dvaultlet.library or VAULTLET_LIBRARY");
            error.initCause(failed);
            throw error;
        }
        return installed(file);
    }

    /** An absolute path; empty is unset. */
    private static String named(String library) {
        return library == null || library.isEmpty()
                ? null
                : Path.of(library).toAbsolutePath().toString();
    }

    /** Into a folder that only we may read, and gone as soon as it is loaded. */
    private static Abi unpack(InputStream packaged, String file) throws IOException {
        Path folder = Files.createTempDirectory("vaultlet-");
        Path library = folder.resolve(file);
        try {
            Files.copy(packaged, library, StandardCopyOption.REPLACE_EXISTING);
            return Natives.load(library.toString());
        } finally {
            forget(library);
            forget(folder);
        }
    }

    private static void forget(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (IOException held) {
            // Windows keeps the file of a library that is loaded.
            path.toFile().deleteOnExit();
        }
    }

    private static Abi installed(String file) {
        String folders = System.getProperty("java.library.path", "");
        for (String folder : folders.split(File.pathSeparator)) {
            Path library = Path.of(folder, file);
            if (!folder.isEmpty() && Files.exists(library)) {
                return Natives.load(library.toAbsolutePath().toString());
            }
        }
        try {
            return Natives.load(file);
        } catch (UnsatisfiedLinkError none) {
            UnsatisfiedLinkError error = new UnsatisfiedLinkError(
                    "there is no " + file + " for " + platform() + " in the jar or on this system: "
                            + none.getMessage()
                            + "; name one by -Dvaultlet.library or VAULTLET_LIBRARY");
            error.initCause(none);
            throw error;
        }
    }

    /** As JNA names them: {@code linux-x86-64}. */
    private static String platform() {
        String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        String arch = System.getProperty("os.arch");
        os = os.startsWith("mac") ? "darwin" : os.startsWith("windows") ? "win32" : os;
        return os + "-" + (arch.equals("amd64") || arch.equals("x86_64") ? "x86-64" : arch);
    }
}
