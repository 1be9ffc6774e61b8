//! Random programs of `tracing` spans, which run under any layer.

use proptest::prelude::*;
use std::error::Error;
use std::fmt;
use tracing::Value;

/// The threads that a program runs on.
pub(crate) const THREADS: usize = 3;

/// A step, and the thread that takes it.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) thread: usize,
    pub(crate) action: Action,
}

/// A step of a program. A `usize` without a name is the index of a live handle.
#[derive(Clone, Debug)]
pub(crate) enum Action {
    Start(Callsite, Whose, Fields),
    Enter(usize),
    /// Exits the nth span that is entered on the thread, or detaches the context.
    Exit(usize),
    /// Attaches the context of a remote span to the thread.
    Attach(usize),
    Record(usize, Fields),
    Event(EventSite, EventParent, Fields),
    Follow(usize, Followed),
    Clone(usize),
    Drop(usize),
    /// Sets the parent to a remote span, or to none: an empty context.
    SetParent(usize, Option<usize>),
    UseContext(usize),
    AddLink(usize, usize),
    SetAttribute(usize, i64),
    SetStatus(usize, StatusCode, String),
    AddEvent(usize, String),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Callsite {
    /// Every kind of field.
    Wide,
    /// The special fields in another order, and fields with the layer's own names.
    Odd,
    /// No field but the number.
    Bare,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum EventSite {
    /// Every kind of field, and a message of any type.
    Wide,
    /// A formatted message.
    Message,
    /// Of level `ERROR`, with a field `error` and no message, as `#[instrument(err)]` sends it.
    Error,
    /// Of level `ERROR`, with a message.
    Alarm,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose {
    Contextual,
    Root,
    Child(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum EventParent {
    Contextual,
    Root,
    Of(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Followed {
    Live(usize),
    /// The nth span that was ever started.
    Ever(usize),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum StatusCode {
    Unset,
    Ok,
    Error,
}

/// The value of a field. A field without one is empty.
#[derive(Clone, Debug)]
pub(crate) enum Field {
    Bool(bool),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    F64(f64),
    Text(String),
    Bytes(Vec<u8>),
    Debug(String),
    Display(String),
    Error(Chain),
    Missing,
    Present(i64),
}

impl Field {
    fn value(&self) -> Box<dyn Value + '_> {
        match self {
            Self::Bool(value) => Box::new(*value),
            Self::I64(value) => Box::new(*value),
            Self::U64(value) => Box::new(*value),
            Self::I128(value) => Box::new(*value),
            Self::U128(value) => Box::new(*value),
            Self::F64(value) => Box::new(*value),
            Self::Text(value) => Box::new(&**value),
            Self::Bytes(value) => Box::new(&**value),
            Self::Debug(value) => Box::new(tracing::field::debug(Bare(value))),
            Self::Display(value) => Box::new(tracing::field::display(value)),
            Self::Error(error) => {
                let error: &(dyn Error + 'static) = error;
                Box::new(error)
            }
            Self::Missing => Box::new(None::<i64>),
            Self::Present(value) => Box::new(Some(*value)),
        }
    }

    /// Returns the text that the special fields take, if the value is a text.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Debug(text) | Self::Display(text) => Some(text),
            _ => None,
        }
    }
}

/// Writes the text without quotes.
struct Bare<'a>(&'a str);

impl fmt::Debug for Bare<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// An error with its sources, the first of them outermost.
#[derive(Clone, Debug)]
pub(crate) struct Chain(pub(crate) String, pub(crate) Option<Box<Chain>>);

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Chain {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|source| source as _)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Fields(pub(crate) Vec<(&'static str, Field)>);

impl Fields {
    /// Returns the value of a field, if it has one.
    pub(crate) fn at(&self, name: &str) -> Option<Box<dyn Value + '_>> {
        self.get(name).map(Field::value)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        let found = self.0.iter().find(|(key, _)| *key == name);
        found.map(|(_, field)| field)
    }
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ -~]{0,12}",
        1 => "\\PC{0,30}",
        1 => (100_usize..2_000).prop_map(|length| "x".repeat(length)),
    ]
}

/// A text through each of the ways in which a field can hold one.
fn texts(text: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = Field> {
    (text, 0..3).prop_map(|(text, way)| match way {
        0 => Field::Text(text),
        1 => Field::Debug(text),
        _ => Field::Display(text),
    })
}

fn one_of(texts: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop::sample::select(texts).prop_map(str::to_owned)
}

fn error() -> impl Strategy<Value = Field> {
    prop::collection::vec(words(), 1..4).prop_map(|messages| {
        let chain = messages.into_iter().rev().fold(None, |source, message| {
            Some(Box::new(Chain(message, source)))
        });
        Field::Error(*chain.expect("one message at least"))
    })
}

/// A value of any type that the predecessor exports as it is.
fn plain() -> impl Strategy<Value = Field> {
    prop_oneof![
        any::<bool>().prop_map(Field::Bool),
        any::<i64>().prop_map(Field::I64),
        any::<i64>().prop_map(Field::Present),
        any::<f64>().prop_map(Field::F64),
        Just(Field::Missing),
        texts(words()),
    ]
}

/// A field, with a value of a type that fits its name: what the predecessor makes of the wide integers and of bytes is known by the name.
fn field() -> impl Strategy<Value = (&'static str, Field)> {
    prop_oneof![
        4 => (prop::sample::select(vec!["one", "two", "three.four", "target", "level", "thread.name"]), plain()),
        1 => any::<u64>().prop_map(|value| ("u64", Field::U64(value))),
        1 => (0_u64..9).prop_map(|value| ("u64", Field::U64(value))),
        1 => any::<i128>().prop_map(|value| ("i128", Field::I128(value))),
        1 => any::<i64>().prop_map(|value| ("i128", Field::I128(value.into()))),
        1 => any::<u128>().prop_map(|value| ("u128", Field::U128(value))),
        1 => any::<u32>().prop_map(|value| ("u128", Field::U128(value.into()))),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(|bytes| ("bytes", Field::Bytes(bytes))),
        1 => error().prop_map(|error| ("error", error)),
        1 => texts(words()).prop_map(|field| ("error", field)),
        1 => error().prop_map(|error| ("cause", error)),
        1 => texts(words()).prop_map(|field| ("otel.name", field)),
        1 => texts(one_of(&["server", "CLIENT", "producer", "Consumer", "internal", "nonsense", ""]))
            .prop_map(|field| ("otel.kind", field)),
        1 => texts(one_of(&["ok", "ERROR", "error", "unset", "nonsense"]))
            .prop_map(|field| ("otel.status_code", field)),
        1 => texts(words()).prop_map(|field| ("otel.status_description", field)),
        1 => plain().prop_map(|field| ("message", field)),
    ]
}

fn fields(most: usize) -> impl Strategy<Value = Fields> {
    prop::collection::vec(field(), 0..most).prop_map(Fields)
}

fn action() -> impl Strategy<Value = Action> {
    let live = || 0_usize..5;
    let remote = || 0_usize..3;
    let callsite = prop::sample::select(vec![Callsite::Wide, Callsite::Odd, Callsite::Bare]);
    let whose = prop_oneof![
        3 => Just(Whose::Contextual),
        1 => Just(Whose::Root),
        1 => live().prop_map(Whose::Child),
    ];
    let event = prop::sample::select(vec![
        EventSite::Wide,
        EventSite::Wide,
        EventSite::Message,
        EventSite::Error,
        EventSite::Alarm,
    ]);
    let event_parent = prop_oneof![
        3 => Just(EventParent::Contextual),
        1 => Just(EventParent::Root),
        3 => live().prop_map(EventParent::Of),
    ];
    let followed = prop_oneof![
        2 => live().prop_map(Followed::Live),
        1 => (0_usize..12).prop_map(Followed::Ever),
    ];
    let code = prop::sample::select(vec![StatusCode::Unset, StatusCode::Ok, StatusCode::Error]);
    prop_oneof![
        8 => (callsite, whose, fields(9)).prop_map(|(callsite, whose, fields)| Action::Start(callsite, whose, fields)),
        8 => live().prop_map(Action::Enter),
        6 => live().prop_map(Action::Exit),
        1 => remote().prop_map(Action::Attach),
        8 => (live(), fields(5)).prop_map(|(live, fields)| Action::Record(live, fields)),
        8 => (event, event_parent, fields(7)).prop_map(|(event, parent, fields)| Action::Event(event, parent, fields)),
        3 => (live(), followed).prop_map(|(live, followed)| Action::Follow(live, followed)),
        2 => live().prop_map(Action::Clone),
        5 => live().prop_map(Action::Drop),
        2 => (live(), prop::option::weighted(0.8, remote())).prop_map(|(live, remote)| Action::SetParent(live, remote)),
        1 => live().prop_map(Action::UseContext),
        2 => (live(), remote()).prop_map(|(live, remote)| Action::AddLink(live, remote)),
        2 => (live(), any::<i64>()).prop_map(|(live, value)| Action::SetAttribute(live, value)),
        2 => (live(), code, words()).prop_map(|(live, code, text)| Action::SetStatus(live, code, text)),
        1 => (live(), words()).prop_map(|(live, name)| Action::AddEvent(live, name)),
    ]
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Most steps happen on one thread, so that spans nest.
    let thread = prop_oneof![4 => Just(0), 1 => 0..THREADS];
    let step = (thread, action()).prop_map(|(thread, action)| Step { thread, action });
    prop::collection::vec(step, 1..40)
}
