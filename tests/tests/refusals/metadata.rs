//! Servers at the metadata address that are not a metadata service: a portal, another cloud, a host that
//! hangs. (Networks without any response are in `namespace.rs`.)

use std::time::Instant;

use super::*;

const METADATA: Row = Row {
    network: &["--resolve=169.254.169.254:80:127.0.0.1:{identity}"],
    variables: &[("PATH", "/nowhere")],
    expected: (79, "not-configured", "no-identity"),
    requests: Some((1, 0)),
    ..ROW
};

#[test]
fn a_server_that_is_not_a_metadata_service_gets_no_token_request() {
    let rows = [
        Row {
            name: "a portal's page",
            identity: |_| {
                Answer::status(200).header("content-type", "text/html").text("<html>log in</html>")
            },
            says: &["169.254.169.254:80 answered 200 with a page", "azure-cli", "environment"],
            ..METADATA
        },
        Row {
            name: "another cloud's",
            identity: |_| Answer::status(404).text("<?xml version=\"1.0\"?><html>404</html>"),
            says: &["answered 404 with a page"],
            ..METADATA
        },
        Row {
            name: "it never responds",
            identity: |_| Answer::never(),
            says: &["did not answer in time"],
            ..METADATA
        },
        Row {
            // Host and guest both time out after a second; either may report it.
            name: "its response never ends",
            identity: |_| Answer::status(400).text("{").silence(),
            says: &["169.254.169.254:80"],
            ..METADATA
        },
    ];
    refused(&rows);
    // One row at a time, to measure the times that are printed.
    for row in rows {
        let scene = Scene::new(&row);
        let started = Instant::now();
        check_line(&row, &scene.run(&row, &[]));
        println!("no identity, {}: {} ms", row.name, started.elapsed().as_millis());
    }
}
