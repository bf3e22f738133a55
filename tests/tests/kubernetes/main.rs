//! The manifests for Kubernetes: what a cluster reads in them, and that their command lines, users, rights, volumes and probes
//! work together, run by hand where there is no kubelet. With `VAULTLET_TEST_FULL=1` an API server takes them, too, and
//! its admission makes of a pod what the policy promises.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod cluster;
mod manifests;
mod pods;
