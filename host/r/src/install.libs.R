libraries <- c(
  paste0("vaultlet", SHLIB_EXT),
  file.path(Sys.getenv("VAULTLET_LIB"), paste0("libvaultlet", SHLIB_EXT))
)
folder <- file.path(R_PACKAGE_DIR, paste0("libs", R_ARCH))
dir.create(folder, recursive = TRUE, showWarnings = FALSE)
stopifnot(file.copy(libraries, folder, overwrite = TRUE))
