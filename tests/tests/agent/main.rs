//! `vaultlet agent`, as a program: where it listens, whom it answers and what, its signals, and connections that mean
//! it no good.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod clock;
mod crowd;
mod hidden;
mod hostile;
mod rules;
mod signals;
mod slurm;
mod support;
mod systemd;
mod upgrade;
mod what;
mod wherever;
mod who;
