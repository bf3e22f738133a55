//! Calls of a plugin's functions as text, in WAVE (WebAssembly Value Encoding), the text form of
//! component values.

use std::fmt::Write as _;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::wasm_wave::parser::ParserError;
use wasmtime::component::wasm_wave::untyped::UntypedFuncCall;
use wasmtime::component::{Component, ComponentExportIndex, Type, Val};

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
pub(super) fn results_text(results: &[Val]) -> Result<String, Error> {
    let Some(result) = results.first() else { return Ok(String::new()) };
    result.to_wave().map_err(|_| refused("its result has no text form".into()))
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
}
