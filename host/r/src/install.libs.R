# Installs the library of this package, and beside it libvaultlet under its soname.
folder <- file.path(R_PACKAGE_DIR, paste0("libs", R_ARCH))
dir.create(folder, recursive = TRUE, showWarnings = FALSE)
native <- readLines("native")
stopifnot(
  file.copy(paste0("vaultlet", SHLIB_EXT), folder, overwrite = TRUE),
  file.copy(native, file.path(folder, "libvaultlet.so.1"), overwrite = TRUE)
)
