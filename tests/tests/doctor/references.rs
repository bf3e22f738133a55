//! References that are malformed, and secrets that are missing, disabled, expired, or not yet valid.

use super::*;

#[test]
fn references_and_where_they_are() {
    let local = local();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let in_file = |text: &str| {
        let path = file("job.env", text);
        Place::without_reference(&local).argument("--env-file").argument(&path)
    };
    in_file("A=akv://job/db-password?as=file&default=x\nB=plain\n").expect(
        "in a file",
        0,
        &[
            ("references", "ok", "A (akv://job.vault.azure.net/db-password)", ""),
            ("secret", "ok", "A (", ""),
        ],
    );
    in_file("A=akv://job/a_b\n").set("B", REFERENCE).expect(
        "malformed in a file",
        65,
        &[
            ("references", "fail", "A: ", "akv://"),
            ("references", "ok", "B (akv://job.vault.azure.net/db-password)", ""),
            ("secret", "ok", "B (", ""),
        ],
    );
    in_file("A=1\nB\n").set("C", REFERENCE).expect(
        "a malformed line",
        78,
        &[("references", "fail", "line 2 is malformed", "NAME=VALUE"), ("secret", "ok", "C (", "")],
    );
    let place = Place::without_reference(&local).argument("--env-file").argument("/no/such.env");
    place.expect("no file", 78, &[("references", "fail", "/no/such.env", "correct the path")]);
    Place::without_reference(&local).argument("akv://job").expect(
        "malformed argument",
        65,
        &[("references", "fail", "(reference-malformed)", "")],
    );
    Place::without_reference(&local).set("A", "https://example.com/x").expect(
        "none",
        0,
        &[("references", "warn", "there is none", "akv://VAULT/NAME")],
    );
    Place::job(&local).set("VAULTLET_CLOUD", "mars").expect(
        "a malformed setting",
        78,
        &[("settings", "fail", "`VAULTLET_CLOUD` is not `public`, `china` or `usgov`", "correct")],
    );
    Place::job(&local).argument("--timeout").argument("soon").expect(
        "a malformed flag",
        64,
        &[("settings", "fail", "`--timeout`", "")],
    );
}

#[test]
fn the_state_of_secrets() {
    let local = Local::builder()
        .seed("db-password", VALUE)
        .seed("json", format!(r#"{{"user":"{VALUE}"}}"#))
        .seed("off", Seed::from(VALUE).with_enabled(false))
        .seed("expired", dated(None, Some(-2)))
        .seed("soon", dated(None, Some(7)))
        .seed("later", dated(Some(-1), Some(365)))
        .seed("early", dated(Some(2), None))
        .start()
        .unwrap();
    let of = |value: &str| Place::without_reference(&local).set("X", value);
    for (value, code, state, seen, help) in [
        ("akv://job/nope", 66, "fail", "(secret-not-found)", "create the secret"),
        ("akv://job/nope?optional", 0, "ok", "says that this is no error", ""),
        ("akv://job/nope?default=x", 0, "ok", "says that this is no error", ""),
        ("akv://job/off", 66, "fail", "(secret-disabled)", "enable it"),
        ("akv://job/off?optional", 66, "fail", "(secret-disabled)", "enable it"),
        ("akv://job/expired", 0, "warn", "expired on 20", "new version"),
        ("akv://job/soon", 0, "warn", "expires on 20", "new version"),
        ("akv://job/later", 0, "ok", "enabled, expires on 20", ""),
        ("akv://job/early", 0, "warn", "valid only from 20", "activation date"),
        ("akv://job/json?json=/user", 0, "ok", "enabled", ""),
        ("akv://job/json?json=/nope", 65, "fail", "(pointer-missing)", "`json=`"),
        ("akv://job/json?json=/nope&optional", 0, "ok", "says that this is no error", ""),
        ("akv://job/db-password?json=/a", 65, "fail", "(secret-not-json)", "`json=`"),
    ] {
        of(value).expect(
            value,
            code,
            &[("secret", state, seen, help), ("access", "ok", "may read", "")],
        );
    }
    // The first that fails decides.
    let place = of("akv://job/off").set("A", "akv://job/json?json=/nope");
    place.expect("two", 65, &[("secret", "fail", "A (", ""), ("secret", "fail", "X (", "")]);
}
