//! The egress policy for addresses: which IP addresses a granted name may resolve to.
//!
//! Names are checked for each request against the role's grant (`grant.rs`). Addresses are checked
//! here, after the lookup, in their canonical form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::server::{Purpose, is_localhost};

/// The kinds of addresses that the policy distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Public,
    Private,
    Loopback,
    LinkLocal,
    /// Never a server's address: unspecified, multicast, reserved, or the cloud platform's own.
    Nowhere,
}

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

fn reach(address: IpAddr) -> Reach {
    match address.to_canonical() {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let [a, b, ..] = ip.octets();
    // Azure's platform address: in a public range, but local to the virtual machine.
    // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    if ip == Ipv4Addr::new(168, 63, 129, 16) {
        return Reach::Nowhere;
    }
    match ip {
        _ if ip.is_loopback() => Reach::Loopback,
        _ if ip.is_link_local() => Reach::LinkLocal,
        _ if ip.is_private() => Reach::Private,
        // RFC 6598, carrier-grade NAT, which some clouds use for private networks.
        _ if a == 100 && (64..128).contains(&b) => Reach::Private,
        _ if a == 0 || ip.is_multicast() || a >= 240 => Reach::Nowhere,
        _ => Reach::Public,
    }
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    match ip {
        _ if ip.is_loopback() => Reach::Loopback,
        _ if ip.is_unicast_link_local() => Reach::LinkLocal,
        _ if ip.is_unique_local() => Reach::Private,
        _ if ip.is_unspecified() || ip.is_multicast() => Reach::Nowhere,
        _ => match embedded_v4(ip) {
            Some(v4) => reach_v4(v4),
            None => Reach::Public,
        },
    }
}

/// IPv4 inside IPv6: NAT64 (RFC 6052) and 6to4 (RFC 3056). Mapped addresses are canonical already.
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        // The deprecated "compatible" form, ::a.b.c.d.
        [0, 0, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        _ => None,
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
