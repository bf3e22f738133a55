//! Output of developers' tools. The first line names the tool, the second its exit status; then follow its
//! standard output, a line `---`, and its standard error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vaultlet_fuzz::{FuzzContext, answer, first_line};

fuzz_target!(|data: &[u8]| {
    let (tool, rest) = first_line(data);
    let (status, rest) = first_line(rest);
    let tool = match tool {
        "azd" => "azure-developer-cli",
        "pwsh" => "azure-powershell",
        _ => "azure-cli",
    };
    let at = rest.windows(5).position(|five| five == b"\n---\n").unwrap_or(rest.len());
    let (stdout, stderr) = (&rest[..at], rest.get(at + 5..).unwrap_or_default());
    let mut response = answer(b"200\n\n");
    response.headers = vec![
        ("vaultlet-exit-status".to_owned(), status.as_bytes().to_vec()),
        ("vaultlet-stdout-length".to_owned(), stdout.len().to_string().into_bytes()),
    ];
    response.body = [stdout, stderr].concat().into();
    FuzzContext::new(&[("VAULTLET_IDENTITY", tool)], vec![response]).token();
});
