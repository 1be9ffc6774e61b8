use super::value::format;
pub(super) use crate::state::changes::{STACKTRACE, TYPE};
use crate::state::scratch::Texts;
use crate::state::stats::Losses;
use std::error::Error;
use std::fmt::Write;
use zerospan_otlp::StaticKey;

pub(super) const MESSAGE: StaticKey = StaticKey::new("exception.message");

/// The number of sources of an error that are recorded: a chain may be a cycle.
const MAX_SOURCES: usize = 32;

/// Formats an error's message into the text, and its sources into the chain. Returns `false` if the message panicked. A source
/// that panics ends the chain.
pub(super) fn read(losses: &Losses, texts: &mut Texts, error: &(dyn Error + 'static)) -> bool {
    texts.sources = 0;
    if !format(losses, &mut texts.text, format_args!("{error}")) {
        return false;
    }
    let mut next = error.source();
    while let Some(source) = next
        && texts.sources < MAX_SOURCES
    {
        if texts.chain.len() == texts.sources {
            texts.chain.push(String::new());
        }
        let Some(text) = texts.chain.get_mut(texts.sources) else {
            break;
        };
        if !format(losses, text, format_args!("{source}")) {
            break;
        }
        texts.sources += 1;
        next = source.source();
    }
    true
}

/// Writes the sources as one text, in place of the message: a line for each.
pub(super) fn stacktrace(texts: &mut Texts) {
    let Texts {
        text,
        chain,
        sources,
        ..
    } = texts;
    text.clear();
    for (number, source) in chain.iter().take(*sources).enumerate() {
        let line = if number == 0 { "" } else { "\n" };
        // Writing to a string does not fail.
        let _ = write!(text, "{line}caused by: {source}");
    }
}

/// Returns the name of an error's type, if it is one of the standard library's that are often passed on.
pub(super) fn type_name(error: &(dyn Error + 'static)) -> Option<&'static str> {
    macro_rules! first_of {
        ($($name:literal: $type:ty,)+) => {
            $(if error.is::<$type>() { return Some($name); })+
        };
    }
    first_of! {
        "std::io::Error": std::io::Error,
        "std::fmt::Error": std::fmt::Error,
        "std::num::ParseIntError": std::num::ParseIntError,
        "std::num::ParseFloatError": std::num::ParseFloatError,
        "std::num::TryFromIntError": std::num::TryFromIntError,
        "std::str::Utf8Error": std::str::Utf8Error,
        "std::string::FromUtf8Error": std::string::FromUtf8Error,
        "std::str::ParseBoolError": std::str::ParseBoolError,
        "std::char::ParseCharError": std::char::ParseCharError,
        "std::net::AddrParseError": std::net::AddrParseError,
        "std::env::VarError": std::env::VarError,
        "std::time::SystemTimeError": std::time::SystemTimeError,
        "std::sync::mpsc::RecvError": std::sync::mpsc::RecvError,
        "std::array::TryFromSliceError": std::array::TryFromSliceError,
    }
    None
}
