//! Who there is: clouds and their hosts, a tenant with its identities, and the keys that sign their
//! tokens.
//!
//! The identity endpoints, the authority and the vaults take all of this from here and nothing
//! from each other.

pub(crate) mod clouds;
pub(crate) mod federation;
pub(crate) mod signer;
pub(crate) mod token;
pub(crate) mod who;
