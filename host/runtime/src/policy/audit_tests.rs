//! Audit lines and the places where they go.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use vaultlet_core::settings::Settings;

use super::file::parse;
use super::*;

fn canonical(text: &str) -> Canonical {
    Canonical::read(text, &Settings::read(&|_: &str| None).unwrap()).unwrap()
}

/// The audit to a place, with the path of the policy in the folder.
fn audit(folder: &Path, place: &str) -> Result<Audit, crate::Error> {
    let text = format!("[audit]\nfile = {place:?}\n");
    Audit::open(&parse(&text, &folder.join("p.toml")).unwrap())
}

fn event<'a>(reference: &'a Canonical, user: &'a User) -> Event<'a> {
    Event {
        kind: EventKind::Reveal,
        reference,
        version: Some("0123"),
        user,
        pid: Some(7),
        program: None,
        plugin: None,
        source: None,
        id: None,
    }
}

#[test]
fn a_line_has_what_is_known_and_nothing_that_a_terminal_obeys() {
    let reference = canonical("akv://Job.Example/db?json=/user");
    let user = User::named("root");
    let whole = Event {
        program: Some(Path::new("/opt/a \"b\"\\\u{1b}[1m\n\u{202e}\u{e0041}é")),
        plugin: Some("p"),
        source: Some("managed-identity"),
        id: Some("x"),
        ..event(&reference, &user)
    };
    let now = UNIX_EPOCH + Duration::from_millis(1_764_222_333_004);
    assert_eq!(
        whole.json(now),
        concat!(
            r#"{"time":"2025-11-27T05:45:33.004Z","event":"reveal","reference":"akv://job.example/db","#,
            r#""version":"0123","user":"root","pid":7,"#,
            r#""program":"/opt/a \"b\"\\\u001b[1m\u000a\u202e\udb40\udc41é","plugin":"p","#,
            r#""source":"managed-identity","id":"x"}"#
        )
    );
    let kind = EventKind::Denied;
    let bare = Event { kind, version: None, pid: None, ..event(&reference, &user) };
    let expected = r#"{"time":"1970-01-01T00:00:00.000Z","event":"denied","reference":"akv://job.example/db","user":"root"}"#;
    assert_eq!(bare.json(UNIX_EPOCH - Duration::from_secs(1)), expected);
}

#[test]
fn lines_are_appended_whole_to_a_file_for_its_owner_wherever_it_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let at = |name: &str| folder.join(name);
    let (reference, user) = (canonical("akv://team-kv/db"), User::own());
    let event = event(&reference, &user);
    // A relative path begins at the policy.
    let audit = audit(folder, "audit.jsonl").unwrap();
    let mode = fs::metadata(at("audit.jsonl")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let lines = |name: &str| -> Vec<String> {
        fs::read_to_string(at(name)).unwrap().lines().map(str::to_owned).collect()
    };
    let is_whole = |line: &String| line.starts_with("{\"time\":") && line.ends_with('}');
    audit.write(&event).unwrap();
    audit.write(&event).unwrap();
    assert_eq!(lines("audit.jsonl").iter().filter(|it| is_whole(it)).count(), 2);
    // Rotated, by a new file and by making it empty.
    fs::rename(at("audit.jsonl"), at("audit.jsonl.1")).unwrap();
    audit.write(&event).unwrap();
    assert_eq!((lines("audit.jsonl").len(), lines("audit.jsonl.1").len()), (1, 2));
    fs::write(at("audit.jsonl"), "").unwrap();
    audit.write(&event).unwrap();
    assert_eq!(lines("audit.jsonl").len(), 1);
    // A line that the disk had no room for.
    fs::write(at("audit.jsonl"), "{\"time\":\"20").unwrap();
    audit.write(&event).unwrap();
    let lines = lines("audit.jsonl");
    assert!(lines.len() == 2 && is_whole(&lines[1]), "{lines:?}");
}

#[test]
fn a_place_that_keeps_nothing_or_leads_elsewhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fs::write(folder.join("other"), "").unwrap();
    symlink("other", folder.join("link")).unwrap();
    symlink("nowhere", folder.join("dead")).unwrap();
    fs::create_dir(folder.join("folder")).unwrap();
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    let fifo = rustix::fs::FileType::Fifo;
    rustix::fs::mknodat(rustix::fs::CWD, folder.join("pipe"), fifo, mode, 0).unwrap();
    for (place, why) in [
        ("link", "it is a link"),
        ("dead", "it is a link"),
        ("folder", "is a directory"),
        ("pipe", "it is not a regular file"),
        ("none/audit", "there is no such file or folder"),
        ("other/audit", "not a directory"),
    ] {
        let error = audit(folder, place).unwrap_err();
        assert_eq!((error.id.as_str(), error.kind.as_str()), ("audit-failed", "configuration"));
        assert!(error.message.contains(why) && error.message.contains(place), "{error}");
        assert!(error.help.contains("p.toml"), "{error}");
    }
    assert!(!folder.join("nowhere").exists());
    // A pipe with a reader, too.
    let reader = fs::File::options().read(true).write(true).open(folder.join("pipe")).unwrap();
    assert!(audit(folder, "pipe").is_err());
    drop(reader);
    let (reference, user) = (canonical("akv://team-kv/db"), User::own());
    // A full disk is found when something is written.
    let full = audit(folder, "/dev/full").unwrap();
    let error = full.write(&event(&reference, &user)).unwrap_err();
    assert!(error.id == "audit-failed" && error.message.contains("no space left"), "{error}");
    // A folder that has gone since.
    fs::create_dir(folder.join("gone")).unwrap();
    let gone = audit(folder, "gone/audit").unwrap();
    fs::remove_dir_all(folder.join("gone")).unwrap();
    assert_eq!(gone.write(&event(&reference, &user)).unwrap_err().id, "audit-failed");
    // Without `[audit]` nothing is written, and nothing fails.
    let none = Audit::open(&Policy::from_patterns(&["akv://team-kv/*"]).unwrap()).unwrap();
    none.write(&event(&reference, &user)).unwrap();
}
