package vaultlet

// Threads exports the limit of calls that block a thread each.
var Threads = threads
