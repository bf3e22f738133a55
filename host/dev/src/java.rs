//! Support for Java programs: a truststore in Java's own format, and options for the virtual
//! machine, which takes its proxy from no environment variable.
//!
//! <https://docs.oracle.com/en/java/javase/17/security/java-secure-socket-extension-jsse-reference-guide.html>

use std::path::Path;

use ring::digest;

use crate::clock;

/// Password of the truststore; it protects nothing, because the contents are public, but Java
/// requires one.
pub(crate) const PASSWORD: &str = "changeit";

/// A truststore in the JKS format, which every version of Java reads.
pub(crate) fn truststore<'a>(certificates: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    const MAGIC: u32 = 0xfeed_feed;
    const VERSION: u32 = 2;
    const TRUSTED: u32 = 2;
    let certificates: Vec<_> = certificates.collect();
    let mut store = Vec::new();
    let number = |store: &mut Vec<u8>, it: usize| {
        store.extend(u32::try_from(it).unwrap_or(u32::MAX).to_be_bytes());
    };
    store.extend(MAGIC.to_be_bytes());
    store.extend(VERSION.to_be_bytes());
    number(&mut store, certificates.len());
    for (at, certificate) in certificates.iter().enumerate() {
        store.extend(TRUSTED.to_be_bytes());
        text(&mut store, &format!("root-{at}"));
        store.extend(clock::now_ms().to_be_bytes());
        text(&mut store, "X.509");
        number(&mut store, certificate.len());
        store.extend(*certificate);
    }
    let mut digest = digest::Context::new(&digest::SHA1_FOR_LEGACY_USE_ONLY);
    PASSWORD.encode_utf16().for_each(|unit| digest.update(&unit.to_be_bytes()));
    digest.update(b"Mighty Aphrodite");
    digest.update(&store);
    store.extend(digest.finish().as_ref());
    store
}

fn text(store: &mut Vec<u8>, text: &str) {
    store.extend(u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes());
    store.extend(text.as_bytes());
}

/// The value of `JAVA_TOOL_OPTIONS`: the previous value, followed by the options for proxy and
/// truststore.
pub(crate) fn options(before: Option<String>, truststore: &Path, proxy_port: u16) -> String {
    let truststore = truststore.display().to_string();
    // The virtual machine splits the value at spaces, except within quotes.
    let quote = if truststore.contains(' ') { "\"" } else { "" };
    let added = format!(
        "{quote}-Djavax.net.ssl.trustStore={truststore}{quote} \
         -Djavax.net.ssl.trustStorePassword={PASSWORD} \
         -Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort={proxy_port} \
         -Dhttp.nonProxyHosts=localhost|127.*|[::1]|169.254.169.254"
    );
    match before.filter(|before| !before.is_empty()) {
        Some(before) => format!("{before} {added}"),
        None => added,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_appended_to_the_previous_value_and_quoted() {
        let path = Path::new("/a b/c.jks");
        let options = options(Some("-Dx=y".into()), path, 1);
        assert!(options.starts_with("-Dx=y \"-Djavax.net.ssl.trustStore=/a b/c.jks\" -D"));
        assert!(super::options(Some(String::new()), path, 1).starts_with('"'));
    }
}
