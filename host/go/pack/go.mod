module vaultlet.dev/go/pack

go 1.25.0

// Makes the archives of modules, as the go command checks them.
require golang.org/x/mod v0.38.0
