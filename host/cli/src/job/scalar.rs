//! Plain scalars as PyYAML resolves them, and as Python writes them: what `az` sends to the service.
//! <https://yaml.org/type/>

/// A scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    /// A whole number, in decimal.
    Int(String),
    Float(f64),
    /// A date or a time.
    Date(String),
    Text(String),
}

impl Scalar {
    /// The text that Python's `str` makes of it; none of what is null.
    pub(super) fn python(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Bool(true) => Some("True".to_owned()),
            Self::Bool(false) => Some("False".to_owned()),
            Self::Int(text) | Self::Date(text) | Self::Text(text) => Some(text.clone()),
            Self::Float(number) => Some(float(*number)),
        }
    }

    /// The kind of scalar, for a message.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "empty",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Date(_) => "a date",
            Self::Text(_) => "a text",
        }
    }
}

/// What a plain scalar is.
pub(super) fn resolve(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Scalar::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Scalar::Bool(false);
        }
        _ => {}
    }
    if let Some(number) = int(text) {
        Scalar::Int(number)
    } else if let Some(number) = read_float(text) {
        Scalar::Float(number)
    } else if is_date(text) {
        Scalar::Date(text.to_owned())
    } else {
        Scalar::Text(text.to_owned())
    }
}

/// A whole number in decimal, octal, hexadecimal, binary or base 60, in decimal.
fn int(text: &str) -> Option<String> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let signed = |number: String| {
        if is_negative && number != "0" { format!("-{number}") } else { number }
    };
    let is_made_of = |text: &str, of: fn(u8) -> bool| {
        text.bytes().all(|byte| byte == b'_' || of(byte)) && text.bytes().any(of)
    };
    let based = |digits: &str, base| {
        u128::from_str_radix(&digits.replace('_', ""), base).ok().map(|it| it.to_string())
    };
    let number = match digits.as_bytes() {
        [b'0'] => "0".to_owned(),
        [b'0', b'b', ..] if is_made_of(digits.get(2..)?, |it| matches!(it, b'0' | b'1')) => {
            based(digits.get(2..)?, 2)?
        }
        [b'0', b'x', ..] if is_made_of(digits.get(2..)?, |it| it.is_ascii_hexdigit()) => {
            based(digits.get(2..)?, 16)?
        }
        [b'0', ..] if is_made_of(digits.get(1..)?, |it| matches!(it, b'0'..=b'7')) => {
            based(digits, 8)?
        }
        [b'1'..=b'9', ..] if is_made_of(digits, |it| it.is_ascii_digit()) => {
            digits.replace('_', "")
        }
        [b'1'..=b'9', ..] if digits.contains(':') => sexagesimal(digits)?.to_string(),
        _ => return None,
    };
    Some(signed(number))
}

/// A number in base 60, as in `12:30`.
fn sexagesimal(text: &str) -> Option<u128> {
    let mut parts = text.split(':');
    let first = parts.next()?.replace('_', "").parse().ok()?;
    parts.try_fold(first, |all: u128, part| {
        let digit: u8 = part.parse().ok()?;
        let is_one = part.len() <= 2 && part.bytes().all(|it| it.is_ascii_digit()) && digit < 60;
        is_one.then(|| all.checked_mul(60)?.checked_add(u128::from(digit)))?
    })
}

/// A number with a point. An exponent has a sign, or it is text.
fn read_float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if unsigned == text => return Some(f64::NAN),
        _ => {}
    }
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, part) = mantissa.split_once('.')?;
    let are_digits = |text: &str| text.bytes().all(|it| it == b'_' || it.is_ascii_digit());
    let begins = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
    let is_number = are_digits(whole)
        && are_digits(part)
        // Without digits before the point there is no sign.
        && (begins(whole) || (whole.is_empty() && begins(part) && unsigned == text));
    let is_exponent = exponent.is_none_or(|it| {
        it.strip_prefix(['+', '-'])
            .is_some_and(|it| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit()))
    });
    if !is_number || !is_exponent {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// Whether a text begins as a date does and goes on as one or as a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut digits = |least: usize, most: usize| {
        parts.next().is_some_and(|part| {
            (least..=most).contains(&part.len()) && part.bytes().all(|it| it.is_ascii_digit())
        })
    };
    if !digits(4, 4) || !digits(1, 2) {
        return false;
    }
    let rest = text.splitn(3, '-').nth(2).unwrap_or_default();
    let day = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (short, after) = (text.len() < 10, rest.get(day..).unwrap_or_default());
    match after.as_bytes() {
        [] => day == 2 && !short,
        [b'T' | b't' | b' ' | b'\t', ..] => (1..=2).contains(&day) && after.contains(':'),
        _ => false,
    }
}

/// A number as Python's `repr` writes it.
fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let text = format!("{number:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let text = number.to_string();
        if text.contains('.') { text } else { format!("{text}.0") }
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{mantissa}e{sign}{:02}", exponent.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What PyYAML 6 and Python 3 make of the same texts.
    #[test]
    fn scalars_are_those_of_pyyaml() {
        for (text, kind, python) in [
            ("x", "a text", "x"),
            ("yes", "a boolean", "True"),
            ("Off", "a boolean", "False"),
            ("y", "a text", "y"),
            ("tRue", "a text", "tRue"),
            ("5", "a number", "5"),
            ("-5", "a number", "-5"),
            ("+5", "a number", "5"),
            ("1_000", "a number", "1000"),
            ("010", "a number", "8"),
            ("08", "a text", "08"),
            ("0x1F", "a number", "31"),
            ("0b101", "a number", "5"),
            ("0o17", "a text", "0o17"),
            ("12:30", "a number", "750"),
            ("1:60", "a text", "1:60"),
            ("0", "a number", "0"),
            ("-0", "a number", "0"),
            ("123456789012345678901234567890", "a number", "123456789012345678901234567890"),
            ("1.50", "a number", "1.5"),
            ("1.", "a number", "1.0"),
            (".5", "a number", "0.5"),
            ("-.5", "a text", "-.5"),
            ("1e-3", "a text", "1e-3"),
            ("1.0e-3", "a number", "0.001"),
            ("1.0e-5", "a number", "1e-05"),
            ("2.5e-7", "a number", "2.5e-07"),
            ("1.0e3", "a text", "1.0e3"),
            ("1.0e+15", "a number", "1000000000000000.0"),
            ("1.0e+16", "a number", "1e+16"),
            ("1.25e+20", "a number", "1.25e+20"),
            ("-0.0", "a number", "-0.0"),
            (".inf", "a number", "inf"),
            ("2024-01-31", "a date", "2024-01-31"),
            ("2024-1-3", "a text", "2024-1-3"),
            ("2024-01-31 10:20:30", "a date", "2024-01-31 10:20:30"),
            ("2024-01-x", "a text", "2024-01-x"),
            ("1.2.3", "a text", "1.2.3"),
            ("azureml:e:1", "a text", "azureml:e:1"),
        ] {
            let scalar = resolve(text);
            assert_eq!(
                (scalar.kind(), scalar.python().unwrap().as_str()),
                (kind, python),
                "{text}"
            );
        }
        for text in ["", "~", "null", "Null"] {
            assert_eq!(resolve(text), Scalar::Null, "{text}");
        }
    }
}
