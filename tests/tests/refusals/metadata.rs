//! Something answers at the metadata address, and is no metadata service: a portal, another cloud, a
//! host that hangs. (Networks that do not answer at all are tried in a namespace of their own.)

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
fn what_is_no_metadata_service_is_not_asked_for_a_token() {
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
            name: "it never answers",
            identity: |_| Answer::never(),
            says: &["did not answer in time"],
            ..METADATA
        },
        Row {
            // Host and guest both have had enough after a second; who says so is chance.
            name: "it never ends its answer",
            identity: |_| Answer::status(400).text("{").silence(),
            says: &["169.254.169.254:80"],
            ..METADATA
        },
    ];
    refused(&rows);
    // One at a time, for the figures.
    for row in rows {
        let scene = Scene::new(&row);
        let started = Instant::now();
        check_line(&row, &scene.run(&row, &[]));
        println!("no identity, {}: {} ms", row.name, started.elapsed().as_millis());
    }
}
