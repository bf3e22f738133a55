package vaultlet

// Threads is what calls take to block one.
var Threads = threads
