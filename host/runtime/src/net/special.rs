//! Addresses that are not on the public Internet, by IANA's registries of special-purpose addresses.
//! What a registry calls "globally reachable: false" is no server's address, except for the private
//! networks and this machine; the longest prefix decides.
//!
//! <https://www.iana.org/assignments/iana-ipv4-special-registry>
//! <https://www.iana.org/assignments/iana-ipv6-special-registry>
//! <https://www.iana.org/assignments/ipv6-address-space>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use Reach::{LinkLocal, Loopback, Nowhere, Private, Public};

/// The kinds of addresses that the egress policy distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Public,
    Private,
    Loopback,
    LinkLocal,
    /// Never a server's address: unspecified, multicast, reserved, for documentation, or the cloud
    /// platform's own.
    Nowhere,
}

/// IPv4 prefixes; all other addresses are public.
const V4: [([u8; 4], u32, Reach); 28] = [
    // "This network", RFC 791.
    ([0, 0, 0, 0], 8, Nowhere),
    ([10, 0, 0, 0], 8, Private),
    // Shared by carrier-grade NAT, RFC 6598, which some clouds use for private networks.
    ([100, 64, 0, 0], 10, Private),
    // The metadata service of another cloud.
    ([100, 100, 100, 200], 32, Nowhere),
    ([127, 0, 0, 0], 8, Loopback),
    // Azure's platform address: in a public range, but local to the virtual machine.
    // https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
    ([168, 63, 129, 16], 32, Nowhere),
    ([169, 254, 0, 0], 16, LinkLocal),
    ([172, 16, 0, 0], 12, Private),
    // Protocol assignments, RFC 6890, and those among them that are reachable.
    ([192, 0, 0, 0], 24, Nowhere),
    ([192, 0, 0, 0], 29, Nowhere),
    ([192, 0, 0, 8], 32, Nowhere),
    ([192, 0, 0, 9], 32, Public),
    ([192, 0, 0, 10], 32, Public),
    ([192, 0, 0, 170], 32, Nowhere),
    ([192, 0, 0, 171], 32, Nowhere),
    // Documentation, RFC 5737.
    ([192, 0, 2, 0], 24, Nowhere),
    ([198, 51, 100, 0], 24, Nowhere),
    ([203, 0, 113, 0], 24, Nowhere),
    // AS112 and AMT: reachable.
    ([192, 31, 196, 0], 24, Public),
    ([192, 52, 193, 0], 24, Public),
    ([192, 175, 48, 0], 24, Public),
    // Relays of 6to4 (deprecated, RFC 7526) and 6a44.
    ([192, 88, 99, 0], 24, Nowhere),
    ([192, 88, 99, 2], 32, Nowhere),
    ([192, 168, 0, 0], 16, Private),
    // Benchmarks, RFC 2544.
    ([198, 18, 0, 0], 15, Nowhere),
    // Multicast, RFC 5771, which is in no registry of special purposes.
    ([224, 0, 0, 0], 4, Nowhere),
    // Reserved, RFC 1112.
    ([240, 0, 0, 0], 4, Nowhere),
    ([255, 255, 255, 255], 32, Nowhere),
];

/// IPv6 prefixes. Outside of 2000::/3, which is all that was assigned for global unicast, no other
/// address is a server's.
const V6: [([u16; 8], u32, Reach); 30] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 0, Nowhere),
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, Nowhere),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, Loopback),
    // IPv4 in IPv6: mapped (those are canonical IPv4 before they come here), and translated (SIIT,
    // RFC 2765).
    ([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, Nowhere),
    ([0, 0, 0, 0, 0xffff, 0, 0, 0], 96, Nowhere),
    // NAT64: of the IPv4 address inside (RFC 6052), and of a local network (RFC 8215).
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, Public),
    ([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Nowhere),
    // Discard-only, RFC 6666, and the dummy prefix, RFC 9780.
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64, Nowhere),
    ([0x100, 0, 0, 1, 0, 0, 0, 0], 64, Nowhere),
    ([0x2000, 0, 0, 0, 0, 0, 0, 0], 3, Public),
    // Protocol assignments, RFC 2928, among them Teredo, and those that are reachable.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Nowhere),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Nowhere),
    ([0x2001, 1, 0, 0, 0, 0, 0, 1], 128, Public),
    ([0x2001, 1, 0, 0, 0, 0, 0, 2], 128, Public),
    ([0x2001, 1, 0, 0, 0, 0, 0, 3], 128, Public),
    ([0x2001, 2, 0, 0, 0, 0, 0, 0], 48, Nowhere),
    ([0x2001, 3, 0, 0, 0, 0, 0, 0], 32, Public),
    ([0x2001, 4, 0x112, 0, 0, 0, 0, 0], 48, Public),
    ([0x2001, 0x10, 0, 0, 0, 0, 0, 0], 28, Nowhere),
    ([0x2001, 0x20, 0, 0, 0, 0, 0, 0], 28, Public),
    ([0x2001, 0x30, 0, 0, 0, 0, 0, 0], 28, Public),
    // Documentation, RFC 3849 and RFC 9637.
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Nowhere),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Nowhere),
    // 6to4, of the IPv4 address inside, RFC 3056.
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Public),
    // AS112: reachable.
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, Public),
    // Segment routing, RFC 9602.
    ([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16, Nowhere),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Private),
    // The metadata service of another cloud.
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32, Nowhere),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, LinkLocal),
    // Multicast, RFC 4291.
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Nowhere),
];

pub(super) fn reach(address: IpAddr) -> Reach {
    match address.to_canonical() {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => reach_v6(v6),
    }
}

fn reach_v4(ip: Ipv4Addr) -> Reach {
    let rows = V4.iter().map(|(first, length, reach)| {
        (u128::from(u32::from(Ipv4Addr::from(*first))), *length, *reach)
    });
    longest(rows, u32::from(ip).into(), 32).unwrap_or(Public)
}

fn reach_v6(ip: Ipv6Addr) -> Reach {
    let rows =
        V6.iter().map(|(first, length, reach)| (Ipv6Addr::from(*first).into(), *length, *reach));
    match (longest(rows, ip.into(), 128), embedded_v4(ip)) {
        // What is not public by itself has no business in another address.
        (Some(Public), Some(v4)) if reach_v4(v4) != Public => Nowhere,
        (found, _) => found.unwrap_or(Nowhere),
    }
}

/// The row with the longest prefix of an address that has so many bits.
fn longest(rows: impl Iterator<Item = (u128, u32, Reach)>, ip: u128, bits: u32) -> Option<Reach> {
    let matches =
        |first: u128, length: u32| (ip ^ first).checked_shr(bits - length).unwrap_or(0) == 0;
    let found = rows.filter(|(first, length, _)| matches(*first, *length));
    found.max_by_key(|(_, length, _)| *length).map(|(.., reach)| reach)
}

/// IPv4 inside IPv6 that may be reached: NAT64 (RFC 6052), 6to4 (RFC 3056) and ISATAP (RFC 5214).
fn embedded_v4(ip: Ipv6Addr) -> Option<Ipv4Addr> {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match ip.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        [.., 0 | 0x200, 0x5efe, high, low] => Some(v4(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of both registries, and what is in front of and behind each.
    #[test]
    fn each_row_of_the_registries_has_its_first_and_its_last_address() {
        for (prefix, reach_of, before, behind) in [
            ("0.0.0.0/8", Nowhere, None, Some(Public)),
            ("0.0.0.0/32", Nowhere, None, Some(Nowhere)),
            ("10.0.0.0/8", Private, Some(Public), Some(Public)),
            ("100.64.0.0/10", Private, Some(Public), Some(Public)),
            ("100.100.100.200/32", Nowhere, Some(Private), Some(Private)),
            ("127.0.0.0/8", Loopback, Some(Public), Some(Public)),
            ("168.63.129.16/32", Nowhere, Some(Public), Some(Public)),
            ("169.254.0.0/16", LinkLocal, Some(Public), Some(Public)),
            ("172.16.0.0/12", Private, Some(Public), Some(Public)),
            ("192.0.0.0/24", Nowhere, Some(Public), Some(Public)),
            ("192.0.0.0/29", Nowhere, Some(Public), Some(Nowhere)),
            ("192.0.0.8/32", Nowhere, Some(Nowhere), Some(Public)),
            ("192.0.0.9/32", Public, Some(Nowhere), Some(Public)),
            ("192.0.0.10/32", Public, Some(Public), Some(Nowhere)),
            ("192.0.0.170/32", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("192.0.0.171/32", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("192.0.2.0/24", Nowhere, Some(Public), Some(Public)),
            ("192.31.196.0/24", Public, Some(Public), Some(Public)),
            ("192.52.193.0/24", Public, Some(Public), Some(Public)),
            ("192.88.99.0/24", Nowhere, Some(Public), Some(Public)),
            ("192.88.99.2/32", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("192.168.0.0/16", Private, Some(Public), Some(Public)),
            ("192.175.48.0/24", Public, Some(Public), Some(Public)),
            ("198.18.0.0/15", Nowhere, Some(Public), Some(Public)),
            ("198.51.100.0/24", Nowhere, Some(Public), Some(Public)),
            ("203.0.113.0/24", Nowhere, Some(Public), Some(Public)),
            ("224.0.0.0/4", Nowhere, Some(Public), Some(Nowhere)),
            ("240.0.0.0/4", Nowhere, Some(Nowhere), None),
            ("255.255.255.255/32", Nowhere, Some(Nowhere), None),
            ("::1/128", Loopback, Some(Nowhere), Some(Nowhere)),
            ("::/128", Nowhere, None, Some(Loopback)),
            ("64:ff9b:1::/48", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("100::/64", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("100:0:0:1::/64", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("2001::/23", Nowhere, Some(Public), Some(Public)),
            ("2001::/32", Nowhere, Some(Public), Some(Nowhere)),
            ("2001:1::1/128", Public, Some(Nowhere), Some(Public)),
            ("2001:1::2/128", Public, Some(Public), Some(Public)),
            ("2001:1::3/128", Public, Some(Public), Some(Nowhere)),
            ("2001:2::/48", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("2001:3::/32", Public, Some(Nowhere), Some(Nowhere)),
            ("2001:4:112::/48", Public, Some(Nowhere), Some(Nowhere)),
            ("2001:10::/28", Nowhere, Some(Nowhere), Some(Public)),
            ("2001:20::/28", Public, Some(Nowhere), Some(Public)),
            ("2001:30::/28", Public, Some(Public), Some(Nowhere)),
            ("2001:db8::/32", Nowhere, Some(Public), Some(Public)),
            ("2620:4f:8000::/48", Public, Some(Public), Some(Public)),
            ("3fff::/20", Nowhere, Some(Public), Some(Public)),
            ("5f00::/16", Nowhere, Some(Nowhere), Some(Nowhere)),
            ("fc00::/7", Private, Some(Nowhere), Some(Nowhere)),
            ("fd00:ec2::/32", Nowhere, Some(Private), Some(Private)),
            ("fe80::/10", LinkLocal, Some(Nowhere), Some(Nowhere)),
            ("fec0::/10", Nowhere, Some(LinkLocal), Some(Nowhere)),
            ("ff00::/8", Nowhere, Some(Nowhere), None),
            ("2000::/3", Public, Some(Nowhere), Some(Nowhere)),
        ] {
            let (first, length) = prefix.split_once('/').unwrap();
            let length: u32 = length.parse().unwrap();
            let (first, bits): (u128, u32) = match first.parse().unwrap() {
                IpAddr::V4(v4) => (u32::from(v4).into(), 32),
                IpAddr::V6(v6) => (v6.into(), 128),
            };
            let of = |number: u128| match bits {
                32 => reach(Ipv4Addr::from(u32::try_from(number).unwrap()).into()),
                _ => reach(Ipv6Addr::from(number).into()),
            };
            let last = first | 1u128.checked_shl(bits - length).map_or(u128::MAX, |size| size - 1);
            assert_eq!(of(first), reach_of, "the first of {prefix}");
            assert_eq!(of(last), reach_of, "the last of {prefix}");
            assert_eq!(before.map(|_| of(first - 1)), before, "before {prefix}");
            assert_eq!(behind.map(|_| of(last + 1)), behind, "behind {prefix}");
        }
    }

    /// No form of IPv6 makes an address public that is none.
    #[test]
    fn an_embedded_address_is_judged_by_itself() {
        for (v4, of_mapped, of_embedded) in [
            ("169.254.169.254", LinkLocal, Nowhere),
            ("127.0.0.1", Loopback, Nowhere),
            ("10.0.0.1", Private, Nowhere),
            ("168.63.129.16", Nowhere, Nowhere),
            ("192.0.2.1", Nowhere, Nowhere),
            ("198.18.0.1", Nowhere, Nowhere),
            ("0.0.0.0", Nowhere, Nowhere),
            ("255.255.255.255", Nowhere, Nowhere),
            ("20.50.1.1", Public, Public),
        ] {
            let v4: Ipv4Addr = v4.parse().unwrap();
            let [a, b, c, d] = v4.octets().map(u16::from);
            let (high, low) = (a << 8 | b, c << 8 | d);
            let judged = |segments: [u16; 8]| reach(IpAddr::V6(segments.into()));
            let mapped = judged([0, 0, 0, 0, 0, 0xffff, high, low]);
            assert_eq!(mapped, of_mapped, "mapped {v4}");
            for (form, segments) in [
                ("NAT64", [0x64, 0xff9b, 0, 0, 0, 0, high, low]),
                ("6to4", [0x2002, high, low, 0, 0, 0, 0, 1]),
                ("ISATAP", [0x2600, 1, 2, 3, 0, 0x5efe, high, low]),
                ("ISATAP, public", [0x2600, 1, 2, 3, 0x200, 0x5efe, high, low]),
            ] {
                assert_eq!(judged(segments), of_embedded, "{form} {v4}");
            }
            for (form, segments) in [
                ("NAT64, local", [0x64, 0xff9b, 1, 0, 0, 0, high, low]),
                ("NAT64, local, shorter prefix", [0x64, 0xff9b, 1, high, low << 8, 0, 0, 0]),
                ("SIIT", [0, 0, 0, 0, 0xffff, 0, high, low]),
                ("Teredo, server", [0x2001, 0, high, low, 0, 0, 0, 0]),
                ("Teredo, client", [0x2001, 0, 0x1432, 0x0101, 0, 0, !high, !low]),
            ] {
                assert_eq!(judged(segments), Nowhere, "{form} {v4}");
            }
            if v4.octets()[0] != 0 {
                assert_eq!(judged([0, 0, 0, 0, 0, 0, high, low]), Nowhere, "compatible {v4}");
            }
        }
    }
}
