//! Calls of a plugin's functions as text, in WAVE (WebAssembly Value Encoding), the text form of
//! component values.

use std::fmt::{self, Write};

use wasmtime::component::types::ComponentItem;
use wasmtime::component::wasm_wave::parser::ParserError;
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::wasm_wave::writer::Writer;
use wasmtime::component::{Component, ComponentExportIndex, Type, Val};
use zeroize::{Zeroize as _, Zeroizing};

use crate::error::{Error, Kind};
use crate::limits;

use super::options::CALLING;

/// A call whose function and argument types are those of the component.
pub(super) struct FunctionCall {
    pub(super) function: ComponentExportIndex,
    pub(super) arguments: Vec<Val>,
    pub(super) results: usize,
}

/// Quotes a string as WAVE does, for the arguments of [`Plugin::call`](crate::Plugin::call).
pub fn wave_text(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a string cannot fail.
                let _ = write!(quoted, "\\u{{{:x}}}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

impl FunctionCall {
    /// Parses a call. Errors say where the text is wrong and never quote an argument, which may be
    /// a secret.
    pub(super) fn parse(component: &Component, text: &str) -> Result<Self, Error> {
        let Some((name, _)) = text.split_once('(') else {
            return Err(refused("it is no call, `function(arguments)`".into()));
        };
        let (Some((_, arguments)), name) = (text.split_at_checked(name.len()), name.trim()) else {
            return Err(refused("it is no call, `function(arguments)`".into()));
        };
        let skipped = text.len() - arguments.len();
        let function = match name.split_once('#') {
            Some((interface, function)) => component
                .get_export_index(None, interface)
                .and_then(|interface| component.get_export(Some(&interface), function)),
            None => component.get_export(None, name),
        };
        let Some((ComponentItem::ComponentFunc(signature), function)) = function else {
            return Err(refused(format!("it exports no function `{}`", name.escape_debug())));
        };
        // The function is renamed, as the grammar has no qualified names.
        let call = format!("f{}", arguments.trim_end());
        let types: Vec<Type> = signature.params().map(|(_, ty)| ty).collect();
        let malformed = |error: ParserError| {
            let at = (error.span().start + skipped).saturating_sub(1);
            refused(format!("{} at byte {at}", error.kind()))
        };
        let arguments = with_enough_stack(call.len(), || {
            UntypedFuncCall::parse(&call)?.to_wasm_params(&types)
        })?;
        let arguments = arguments.map_err(malformed)?;
        Ok(Self { function, arguments, results: signature.results().len() })
    }
}

/// Parses on a stack that is large enough: unless it was optimised, the lexer of WAVE recurses for
/// each character of a string.
fn with_enough_stack<T: Send>(length: usize, parse: impl FnOnce() -> T + Send) -> Result<T, Error> {
    if length <= limits::PLUGIN_TEXT_SHORT {
        return Ok(parse());
    }
    if length > limits::PLUGIN_TEXT_MAX {
        return Err(refused(format!("it has more than {} bytes", limits::PLUGIN_TEXT_MAX)));
    }
    let stack = (1 << 20) + length * limits::PLUGIN_TEXT_STACK;
    let failed = |why: String| Error::internal(format!("{CALLING}: reading a long text: {why}"));
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("vaultlet-wave".into()).stack_size(stack);
        let parsing = builder.spawn_scoped(scope, parse).map_err(|e| failed(e.to_string()))?;
        parsing.join().map_err(|_| failed("it panicked".into()))
    })
}

/// The result of a call as text; empty if the function has none.
pub(super) fn results_text(results: &[Val]) -> Result<Zeroizing<String>, Error> {
    let mut text = Text::default();
    let Some(result) = results.first() else { return Ok(text.0) };
    let written = Writer::new(&mut text).write_value(result);
    if text.0.len() > limits::PLUGIN_RESULT_MAX {
        let most = limits::PLUGIN_RESULT_MAX;
        return Err(Error::configuration(
            "plugin-limit",
            format!("{CALLING}: its result has more than {most} bytes as text"),
            "let it return less",
        ));
    }
    written.map_err(|_| refused("its result has no text form".into()))?;
    Ok(text.0)
}

/// A text that may hold a secret: what it outgrows is scrubbed, too, and it does not grow far beyond
/// its limit.
#[derive(Default)]
struct Text(Zeroizing<String>);

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.0.len() > limits::PLUGIN_RESULT_MAX {
            return Err(fmt::Error);
        }
        // WAVE does not escape NUL, which ends a string in C.
        for (at, piece) in more.split('\0').enumerate() {
            if at > 0 {
                self.push("\\u{0}");
            }
            self.push(piece);
        }
        Ok(())
    }
}

impl Text {
    fn push(&mut self, more: &str) {
        let needed = self.0.len() + more.len();
        if needed > self.0.capacity() {
            let mut larger = Zeroizing::new(String::with_capacity(needed.max(64) * 2));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(more);
    }
}

/// Scrubs the texts in a value.
pub(super) fn scrub(value: &mut Val) {
    match value {
        Val::String(text) => text.zeroize(),
        Val::List(all) | Val::Tuple(all) => all.iter_mut().for_each(scrub),
        Val::Record(fields) => fields.iter_mut().for_each(|(_, value)| scrub(value)),
        Val::Variant(_, Some(value))
        | Val::Option(Some(value))
        | Val::Result(Ok(Some(value)) | Err(Some(value))) => scrub(value),
        _ => {}
    }
}

fn refused(what: String) -> Error {
    Error::new(
        Kind::InvalidArgument,
        "plugin-call",
        format!("{CALLING}: {what}"),
        "write a function that it exports with arguments of its types, as WAVE does: `run(\"x\", 3)`",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quoted_string_reads_back_as_itself() {
        for text in ["", "plain", "\"\\", "a\nb\t\u{0}\u{85}é\u{1F600}", "\\u{61}"] {
            let read = Val::from_wave(&Type::String, &wave_text(text)).unwrap();
            assert_eq!(read, Val::String(text.into()), "{text:?}");
        }
    }

    #[test]
    fn a_result_is_written_up_to_its_limit() {
        let text = |value: Val| results_text(&[value]).map(|text| text.to_string());
        assert_eq!(text(Val::String("a\0b\"".into())).unwrap(), r#""a\u{0}b\"""#);
        assert_eq!(text(Val::Option(None)).unwrap(), "none");
        assert_eq!(results_text(&[]).unwrap().as_str(), "");
        let most = limits::PLUGIN_RESULT_MAX;
        assert_eq!(text(Val::String("x".repeat(most - 2))).unwrap().len(), most);
        for long in ["x".repeat(most - 1), "\0".repeat(most / 5 + 1), "\n".repeat(most)] {
            let error = text(Val::String(long)).unwrap_err();
            assert_eq!(error.id, "plugin-limit", "{error}");
        }
    }

    #[test]
    fn a_scrubbed_value_has_no_text() {
        let text = || Val::String("secret".into());
        let mut value = Val::Result(Ok(Some(Box::new(Val::Record(vec![
            ("a".into(), Val::List(vec![text(), text()])),
            ("b".into(), Val::Tuple(vec![Val::Option(Some(Box::new(text())))])),
            ("c".into(), Val::Variant("v".into(), Some(Box::new(text())))),
        ])))));
        scrub(&mut value);
        assert!(!format!("{value:?}").contains("secret"), "{value:?}");
    }
}
