//! The names of the hosts file, where the system looks for names first. The system's resolver would
//! find them, too, and needs a thread to be bounded.
//! <https://man7.org/linux/man-pages/man5/hosts.5.html>
//! <https://man7.org/linux/man-pages/man5/nsswitch.conf.5.html>

use std::fs;
use std::net::IpAddr;

/// The addresses of a name in the hosts file; `None` when it is not there, or when the system looks
/// elsewhere first.
pub(super) fn lookup(host: &str) -> Option<Vec<IpAddr>> {
    // Without that file the hosts file is first.
    let order = fs::read_to_string("/etc/nsswitch.conf").unwrap_or_default();
    if !hosts_file_is_first(&order) {
        return None;
    }
    let found = addresses(&fs::read_to_string("/etc/hosts").ok()?, host);
    (!found.is_empty()).then_some(found)
}

fn hosts_file_is_first(nsswitch: &str) -> bool {
    let mut lines = nsswitch.lines().map(without_comment);
    match lines.find_map(|line| line.trim().strip_prefix("hosts:")) {
        Some(services) => services.split_whitespace().next() == Some("files"),
        None => true,
    }
}

fn addresses(hosts: &str, host: &str) -> Vec<IpAddr> {
    let lines = hosts.lines().filter_map(|line| {
        let mut words = without_comment(line).split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|name| name.eq_ignore_ascii_case(host)).then_some(address)
    });
    lines.collect()
}

fn without_comment(line: &str) -> &str {
    line.split_once('#').map_or(line, |(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_as_the_system_finds_them() {
        let hosts = "127.0.0.1 localhost # job\n\n10.0.0.4\tjob.example.test job\n::1 x\nbad job\n10.0.0.5 JOB\n";
        for (host, expected) in [
            ("job", vec!["10.0.0.4", "10.0.0.5"]),
            ("Job.Example.Test", vec!["10.0.0.4"]),
            ("x", vec!["::1"]),
            ("jo", vec![]),
        ] {
            let expected: Vec<IpAddr> = expected.iter().map(|ip| ip.parse().unwrap()).collect();
            assert_eq!(addresses(hosts, host), expected, "{host}");
        }
    }

    #[test]
    fn the_order_of_services_is_the_systems() {
        for (nsswitch, expected) in [
            ("", true),
            ("passwd: sss\n", true),
            ("hosts: files dns\n", true),
            ("hosts:\tfiles mdns4_minimal [NOTFOUND=return] dns\n", true),
            ("#hosts: files\nhosts: dns files # first dns\n", false),
            ("hosts: resolve [!UNAVAIL=return] files\n", false),
        ] {
            assert_eq!(hosts_file_is_first(nsswitch), expected, "{nsswitch:?}");
        }
    }
}
