//! The egress policy for addresses: which IP addresses a granted name may resolve to.
//!
//! Names are checked for each request against the role's grant (`grant.rs`). Addresses are checked
//! here, after the lookup, in their canonical form.

use std::net::IpAddr;

use super::server::{Purpose, is_localhost};
use super::special::{Reach, reach};

/// Whether a connection for `host` may go to `address`; `plain` means without TLS.
pub(crate) fn allows(purpose: Purpose, host: &str, address: IpAddr, plain: bool) -> bool {
    let literal =
        host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical() == address.to_canonical());
    match (purpose, reach(address)) {
        (_, Reach::Nowhere) => false,
        (_, Reach::Loopback) if is_localhost(host) => true,
        // The plan named the address itself.
        (_, Reach::Loopback) if literal => true,
        // Credentials are sent there.
        (Purpose::TokenAuthority, _) if plain => false,
        (Purpose::IdentityEndpoint, Reach::Public) => false,
        (Purpose::IdentityEndpoint, _) => true,
        (Purpose::Vault | Purpose::TokenAuthority, Reach::Public | Reach::Private) => true,
        (Purpose::Vault | Purpose::TokenAuthority, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_judged_after_the_lookup() {
        use Purpose::{IdentityEndpoint, TokenAuthority, Vault};
        let kv = "my.vault.azure.net";
        for (purpose, host, address, allowed) in [
            (Vault, kv, "20.50.1.1", true),
            (Vault, kv, "10.1.2.3", true),
            (Vault, kv, "100.64.0.9", true),
            (Vault, kv, "fd12::1", true),
            (Vault, kv, "127.0.0.1", false),
            (Vault, kv, "::1", false),
            (Vault, kv, "::ffff:127.0.0.1", false),
            (Vault, kv, "::ffff:169.254.169.254", false),
            (Vault, kv, "64:ff9b::a9fe:a9fe", false),
            (Vault, kv, "2002:7f00:1::", false),
            (Vault, kv, "::127.0.0.1", false),
            (Vault, kv, "169.254.169.254", false),
            (Vault, kv, "fe80::1", false),
            (Vault, kv, "168.63.129.16", false),
            (Vault, kv, "0.0.0.0", false),
            (Vault, kv, "::", false),
            (Vault, kv, "224.0.0.1", false),
            (Vault, kv, "255.255.255.255", false),
            (Vault, kv, "192.0.2.7", false),
            (Vault, kv, "64:ff9b:1::a9fe:a9fe", false),
            (Vault, kv, "::ffff:0:169.254.169.254", false),
            (Vault, kv, "2603:1030::1", true),
            (IdentityEndpoint, "imds.internal", "64:ff9b::a9fe:a9fe", false),
            (IdentityEndpoint, "imds.internal", "fd00:ec2::254", false),
            (Vault, "job.localhost", "127.0.0.1", true),
            (Vault, "job.localhost", "169.254.169.254", false),
            (Vault, "127.0.0.1", "127.0.0.1", true),
            (Vault, "127.0.0.1", "127.0.0.2", false),
            (Vault, "notlocalhost", "127.0.0.1", false),
            (IdentityEndpoint, "127.0.0.1", "127.0.0.1", true),
            (IdentityEndpoint, "169.254.169.254", "169.254.169.254", true),
            (IdentityEndpoint, "imds.internal", "10.0.0.4", true),
            (IdentityEndpoint, "imds.internal", "20.50.1.1", false),
            (IdentityEndpoint, "168.63.129.16", "168.63.129.16", false),
            (TokenAuthority, "tokens.example.test", "20.50.1.1", true),
            (TokenAuthority, "tokens.example.test", "10.1.2.3", true),
            (TokenAuthority, "tokens.example.test", "127.0.0.1", false),
            (TokenAuthority, "tokens.example.test", "169.254.169.254", false),
            (TokenAuthority, "169.254.169.254", "169.254.169.254", false),
            (TokenAuthority, "fe80::1", "fe80::1", false),
            (TokenAuthority, "127.0.0.1", "127.0.0.1", true),
            (TokenAuthority, "tokens.localhost", "127.0.0.1", true),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(allows(purpose, host, ip, false), allowed, "{purpose:?} {host} {address}");
        }
    }

    #[test]
    fn a_plain_token_authority_is_on_this_machine() {
        for (host, address, allowed) in [
            ("127.0.0.1", "127.0.0.1", true),
            ("tokens.localhost", "127.0.0.1", true),
            ("tokens.example.test", "20.50.1.1", false),
            ("tokens.example.test", "10.1.2.3", false),
        ] {
            let ip: IpAddr = address.parse().unwrap();
            assert_eq!(allows(Purpose::TokenAuthority, host, ip, true), allowed, "{host}");
        }
    }
}
