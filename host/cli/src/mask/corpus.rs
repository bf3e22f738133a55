//! A corpus of what programs print of a secret: each value in each encoding, in several surroundings, cut in two at each
//! place. The encodings are written here once more, or come from libraries.

use std::fmt::Write as _;

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding as _};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::Mask;
use super::tests::masked;

/// White space, quotes, a character that is not ASCII, and one that JSON may escape.
const EVERY_KIND: &str = "it's \"5 < 6\"\n\\é/+\u{1b}~";

/// Values as vaults have them.
const VALUES: &[(&str, &str)] = &[
    ("every kind of character", EVERY_KIND),
    ("letters and digits", "Zx8Q9kLm2PvR4tYw7AbC"),
    ("a password of symbols", "p@$$w0rd!#%^&*()_+-=[]{}|;:',.<>/?`~"),
    (
        "a storage account's key",
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
    ),
    ("a connection string", "Server=tcp:db,1433;User ID=a;Password=b c\"d&e=f;Encrypt=True"),
    ("a URL with a password", "postgres://user:pa%2Fss@host:5432/db?sslmode=require&x=1"),
    ("not ASCII", "пароль 密码 🔑 ß"),
    ("JSON", r#"{"user": "a", "password": "b\"c\\d\n/é"}"#),
    ("tabs and control characters", "a\tb\rc\u{7}d\u{8}e\u{b}f\u{c}g\u{7f}h"),
    ("backslashes", r"C:\new\table\\server\x41\u0041"),
    ("white space at its ends", "  a value  \t"),
    ("six bytes", "s3cr=t"),
    ("repeated", "abababababab"),
];

/// The names of encodings, and the value in each; one that leaves the value as it is counts, too.
fn encodings(value: &str) -> Vec<(String, String)> {
    let mut all = vec![("as it is".to_owned(), value.to_owned())];
    let mut add = |name: &str, text: String| all.push((name.to_owned(), text));
    let json = serde_json::to_string(value).unwrap();
    let json = json.get(1..json.len() - 1).unwrap();
    add("JSON of serde, Go without HTML, JavaScript", json.to_owned());
    let ascii = |text: &str, upper: bool| {
        let mut out = String::new();
        for c in text.chars() {
            if c.is_ascii() {
                out.push(c);
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                let unit = format!("{unit:04x}");
                let _ = write!(out, "\\u{}", if upper { unit.to_uppercase() } else { unit });
            }
        }
        out
    };
    let upper_json = json.replace("\\u001b", "\\u001B").replace("\\u000b", "\\u000B");
    add("JSON in ASCII, of Python", ascii(json, false));
    add("JSON in ASCII with capitals, of .NET's older writers", ascii(&upper_json, true));
    add("JSON with escaped slashes, of PHP", ascii(&json.replace('/', "\\/"), false));
    add("JSON with escaped slashes and no other", json.replace('/', "\\/"));
    let html =
        |json: &str| json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026");
    add("JSON for HTML, of Go", html(json));
    add("JSON for HTML in ASCII", ascii(&html(json), false));
    let gson = html(json).replace('=', "\\u003d").replace('\'', "\\u0027");
    add("JSON for HTML, of Gson", gson.clone());
    add("JSON for HTML in ASCII, of Gson", ascii(&gson, false));
    let quoted = |json: &str| {
        let json = json.replace("\\\"", "\\u0022").replace('<', "\\u003C").replace('>', "\\u003E");
        json.replace('&', "\\u0026").replace('\'', "\\u0027")
    };
    let of_dotnet = quoted(&upper_json).replace('+', "\\u002B").replace('`', "\\u0060");
    add("JSON of .NET", ascii(&of_dotnet, true));
    add("JSON for HTML, of PHP", ascii(&quoted(&upper_json).replace('/', "\\/"), true));
    const UNRESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    const PATH: &AsciiSet = &UNRESERVED.remove(b'/');
    const COMPONENT: &AsciiSet =
        &UNRESERVED.remove(b'!').remove(b'\'').remove(b'(').remove(b')').remove(b'*');
    const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'*');
    for (name, set, has_plus) in [
        ("percent-encoded by RFC 3986", UNRESERVED, false),
        ("percent-encoded with slashes, of Python's quote", PATH, false),
        ("encodeURIComponent", COMPONENT, false),
        ("a form, of browsers", FORM, true),
        ("a form, of Python's quote_plus and Go", UNRESERVED, true),
    ] {
        let mut text = percent_encode(value.as_bytes(), set).to_string();
        if has_plus {
            text = text.replace("%20", "+");
        }
        let mut is_lower = 0;
        let lower = text.chars().map(|c| {
            is_lower = if c == '%' { 3 } else { is_lower - 1 };
            if is_lower > 0 { c.to_ascii_lowercase() } else { c }
        });
        add(&format!("{name}, lower case"), lower.collect());
        add(name, text);
    }
    add("in single quotes of a shell", value.replace('\'', r"'\''"));
    add("in single quotes, of Python's shlex", value.replace('\'', r#"'"'"'"#));
    let has_control = value.chars().any(char::is_control);
    if has_control {
        add("%q of bash", dollar_quoted(value, false));
        add("%q of bash in the C locale", dollar_quoted(value, true));
    } else {
        add("%q of bash", backslashed(value));
    }
    add("hexadecimal", value.bytes().fold(String::new(), |all, byte| format!("{all}{byte:02x}")));
    add(
        "hexadecimal in capitals",
        value.bytes().fold(String::new(), |all, byte| format!("{all}{byte:02X}")),
    );
    all
}

/// `$'…'`, without its ends.
fn dollar_quoted(value: &str, is_ascii: bool) -> String {
    let mut out = String::new();
    for c in value.chars() {
        match c {
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\E"),
            '\'' | '\\' => out.extend(['\\', c]),
            c if c.is_ascii_control() || (is_ascii && !c.is_ascii()) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "\\{byte:03o}");
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// With a backslash before each character that means something to bash.
fn backslashed(value: &str) -> String {
    let mut out = String::new();
    for (at, c) in value.char_indices() {
        let is_special = " !\"$&'()*,;<>?[\\]^`{|}".contains(c)
            || (c == '#' && at == 0)
            || (c == '~'
                && (at == 0 || value.get(..at).is_some_and(|it| it.ends_with(['=', ':']))));
        if is_special {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// What programs print before and after a secret.
const SURROUNDINGS: &[(&str, &str)] = &[
    ("", ""),
    ("password=", "\n"),
    ("{\"password\":\"", "\",\"n\":1}"),
    ("+ curl 'https://host/?p=", "&x=1'"),
    ("\u{1b}[31mAuthorization: Bearer ", "\u{1b}[0m\r\n"),
    ("é\\", "é\\"),
];

/// The first three bytes of what is encoded with a secret decide where in base64 the secret begins.
const ENCODED_WITH: &[(&str, &str)] =
    &[("", ""), ("u", ""), ("us", ""), ("user:", "\n"), ("a", "b"), ("", "xy"), ("ab", "xyz")];

/// Checks a text as a whole, in two pieces cut at each place, and byte by byte; returns what is shown.
fn check(mask: &Mask, text: &str, what: &str) -> String {
    let whole = masked(mask, &[text.as_bytes()]);
    for split in 0..=text.len() {
        let (first, last) = text.as_bytes().split_at(split);
        assert_eq!(masked(mask, &[first, last]), whole, "{what} at {split}");
    }
    let bytes: Vec<_> = text.as_bytes().chunks(1).collect();
    assert_eq!(masked(mask, &bytes), whole, "{what} byte by byte");
    String::from_utf8(whole).unwrap()
}

#[test]
fn every_encoding_of_every_value_is_masked_at_every_split() {
    let mut names = std::collections::BTreeSet::new();
    for (kind, value) in VALUES {
        let mask = Mask::new([("S", value.as_bytes())]);
        for (name, encoded) in encodings(value) {
            for (before, after) in SURROUNDINGS {
                let what = format!("{kind}, {name}, after {before:?}");
                let shown = check(&mask, &format!("{before}{encoded}{after}"), &what);
                assert_eq!(shown, format!("{before}<S>{after}"), "{what}");
            }
            names.insert(name);
        }
        for (before, after) in ENCODED_WITH {
            let bytes = format!("{before}{value}{after}").into_bytes();
            for (name, encoded) in [
                ("base64", Base64::encode_string(&bytes)),
                ("base64 without padding", Base64Unpadded::encode_string(&bytes)),
                ("base64 for URLs", Base64Url::encode_string(&bytes)),
                ("base64 for URLs without padding", Base64UrlUnpadded::encode_string(&bytes)),
            ] {
                let name = format!("{name}, {} before", before.len() % 3);
                let what = format!("{kind}, {name}, encoded between {before:?} and {after:?}");
                let shown = check(&mask, &format!("token: {encoded}."), &what);
                let (start, end) =
                    shown.split_once("<S>").unwrap_or_else(|| panic!("{what}: {shown}"));
                // The characters that it shares with its neighbours stay, and theirs.
                let of_neighbours =
                    |text: &str| if text.is_empty() { 0 } else { text.len().div_ceil(3) * 4 + 4 };
                let start = start.strip_prefix("token: ").unwrap();
                assert!(start.len() <= of_neighbours(before), "{what}: {shown}");
                assert!(end.len() <= 1 + of_neighbours(after), "{what}: {shown}");
                names.insert(name);
            }
        }
    }
    assert!(names.len() >= 40, "{} encodings", names.len());
}

/// What a bash or JSON's writers do not print as it is.
const UNSEEN: &str = "a\u{85}b\u{2028}c\u{e9}d<&>\u{7f}\u{8}\u{c}";

/// What programs printed of one value, as they printed it.
#[test]
fn what_real_programs_print_is_masked_at_every_split() {
    let mask = Mask::new([("S", EVERY_KIND.as_bytes())]);
    for (program, text, expected) in [
        ("json.dumps", r#""it's \"5 < 6\"\n\\\u00e9/+\u001b~""#, "\"<S>\""),
        ("JSON.stringify", r#""it's \"5 < 6\"\n\\é/+\u001b~""#, "\"<S>\""),
        ("json_encode", r#""it's \"5 < 6\"\n\\\u00e9\/+\u001b~""#, "\"<S>\""),
        ("encoding/json", r#""it's \"5 \u003c 6\"\n\\é/+\u001b~""#, "\"<S>\""),
        ("Gson", r#""it\u0027s \"5 \u003c 6\"\n\\é/+\u001b~""#, "\"<S>\""),
        ("urllib.parse.quote", "it%27s%20%225%20%3C%206%22%0A%5C%C3%A9/%2B%1B~", "<S>"),
        ("encodeURIComponent", "it's%20%225%20%3C%206%22%0A%5C%C3%A9%2F%2B%1B~", "<S>"),
        ("URLSearchParams", "it%27s+%225+%3C+6%22%0A%5C%C3%A9%2F%2B%1B%7E", "<S>"),
        ("url.QueryEscape", "it%27s+%225+%3C+6%22%0A%5C%C3%A9%2F%2B%1B~", "<S>"),
        ("shlex.quote", "'it'\"'\"'s \"5 < 6\"\n\\é/+\u{1b}~'", "'<S>'"),
        ("printf %q", r#"$'it\'s "5 < 6"\n\\é/+\E~'"#, "$'<S>'"),
        ("printf %q, LC_ALL=C", r#"$'it\'s "5 < 6"\n\\\303\251/+\E~'"#, "$'<S>'"),
    ] {
        assert_eq!(check(&mask, text, program), expected, "{program}");
    }
    let mask = Mask::new([("S", UNSEEN.as_bytes())]);
    for (program, text, expected) in [
        ("json.dumps", r#""a\u0085b\u2028c\u00e9d<&>\u007f\b\f""#, "\"<S>\""),
        ("jq", "\"a\u{85}b\u{2028}céd<&>\\u007f\\b\\f\"", "\"<S>\""),
        ("json.Marshal", "\"a\u{85}b\\u2028céd\\u003c\\u0026\\u003e\u{7f}\\b\\f\"", "\"<S>\""),
        (
            "json.Marshal, before Go 1.22",
            "\"a\u{85}b\\u2028céd\\u003c\\u0026\\u003e\u{7f}\\u0008\\u000c\"",
            "\"<S>\"",
        ),
        ("SetEscapeHTML(false)", "\"a\u{85}b\\u2028céd<&>\u{7f}\\b\\f\"", "\"<S>\""),
        ("printf %q", r"$'a\302\205b\342\200\250céd<&>\177\b\f'", "$'<S>'"),
        ("printf %q, LC_ALL=C", r"$'a\302\205b\342\200\250c\303\251d<&>\177\b\f'", "$'<S>'"),
    ] {
        assert_eq!(check(&mask, text, program), expected, "{program}");
    }
    let mask = Mask::new([("S", br#"p"a$b`c\d'x!"#.as_slice())]);
    for (program, text, expected) in [
        ("declare -p", r#"declare -- w="p\"a\$b\`c\\d'x!""#, "declare -- w=\"<S>\""),
        ("printf %q", r#"p\"a\$b\`c\\d\'x\!"#, "<S>"),
        ("${w@Q}", r#"'p"a$b`c\d'\''x!'"#, "'<S>'"),
    ] {
        assert_eq!(check(&mask, text, program), expected, "{program}");
    }
}

#[test]
fn a_value_without_the_white_space_around_it_is_masked() {
    for (value, text, expected) in [
        ("  spacedtoken99  ", "spacedtoken99 \"  spacedtoken99  \"", "<S> \"<S>\""),
        ("tok123\n", "[tok123] tok123\n.", "[<S>] <S>."),
        ("\u{a0}tok123\u{2003}", "[tok123]", "[<S>]"),
        // Encoded, too.
        (" tok<123>\r\n", "tok%3C123%3E|dG9rPDEyMz4=|tok\\u003c123\\u003e", "<S>|<S>|<S>"),
        ("\n  a line of it\n  xy\n", "a line of it; xy", "<S>; xy"),
        // What is left is too short.
        (" abc ", "abc abc . abc", "abc<S>. abc"),
    ] {
        let mask = Mask::new([("S", value.as_bytes())]);
        assert_eq!(check(&mask, text, value), expected, "{value:?}");
    }
}

/// By base64 and openssl base64, and of Python's encodebytes.
#[test]
fn lines_of_wrapped_base64_are_masked() {
    for length in [47_usize, 48, 49, 56, 57, 58, 96, 100, 114, 116, 117, 150, 171] {
        let value: String = ('!'..='~').cycle().step_by(7).take(length).collect();
        let mask = Mask::new([("S", value.as_bytes())]);
        for after in ["", "\n"] {
            let encoded = Base64::encode_string(format!("{value}{after}").as_bytes());
            for columns in [64, 76] {
                let lines: Vec<_> = encoded
                    .as_bytes()
                    .chunks(columns)
                    .map(|line| str::from_utf8(line).unwrap())
                    .collect();
                let text = lines.join("\n") + "\n";
                let what = format!("{length} bytes in {columns} columns");
                let shown = check(&mask, &text, &what);
                for (line, shown) in lines.iter().zip(shown.lines()) {
                    // The last characters are encoded with what follows.
                    let is_masked = shown == "<S>"
                        || shown.strip_prefix("<S>").is_some_and(|rest| rest.len() <= 4);
                    assert!(is_masked || line.len() < 12, "{what}: {shown}");
                }
            }
        }
    }
}
