//! The constant parts of a callsite: the keys of its fields and its constant attributes, both encoded once.

use super::options::{Options, Switch};
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tracing_core::Metadata;
use zerospan_otlp::{AttributeWriter, StaticKey};
use zerospan_trace::layer::{AttributeBuffer, SpanLimits};

/// The encoded parts of one callsite.
pub(crate) struct Callsite {
    /// Distinguishes it from the callsites of all layers.
    pub(crate) number: usize,
    pub(crate) metadata: &'static Metadata<'static>,
    pub(crate) fields: Box<[FieldKey]>,
    /// The constant attributes of its spans, or of its events.
    pub(crate) constants: AttributeBuffer,
    /// A parent was set on a span of this callsite that was not recorded: the fields of later ones are kept for that case.
    pub(crate) gets_late_parents: AtomicBool,
}

/// One field of a callsite.
pub(crate) struct FieldKey {
    pub(crate) key: StaticKey,
    pub(crate) role: Role,
    /// The key of an error's sources.
    pub(crate) chain: Box<str>,
}

/// The meaning of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// An attribute.
    Plain,
    /// The span's name.
    Name,
    /// The span's kind.
    Kind,
    /// The code of the span's status.
    StatusCode,
    /// The description of the span's status.
    StatusDescription,
    /// An event's name.
    Message,
    /// The error of an event without a message.
    Error,
    /// The fields in which a record of the `log` crate describes itself.
    Log(LogField),
}

/// The fields in which `tracing-log` passes on a record's own metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogField {
    Target,
    Module,
    File,
    Line,
    Other,
}

pub(crate) const FILE: StaticKey = StaticKey::new("code.file.path");
pub(crate) const MODULE: StaticKey = StaticKey::new("code.module.name");
pub(crate) const LINE: StaticKey = StaticKey::new("code.line.number");
pub(crate) const TARGET: StaticKey = StaticKey::new("target");
const LEVEL: StaticKey = StaticKey::new("level");

impl Callsite {
    pub(crate) fn new(
        metadata: &'static Metadata<'static>,
        options: Options,
        limits: &SpanLimits,
    ) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            metadata,
            fields: fields(metadata),
            constants: constants(metadata, options, limits),
            gets_late_parents: AtomicBool::new(false),
        }
    }
}

/// Returns the keys of a callsite's fields.
pub(super) fn fields(metadata: &Metadata<'static>) -> Box<[FieldKey]> {
    let names = || metadata.fields().iter().map(|field| field.name());
    let is_span = metadata.is_span();
    let has_message = !is_span && names().any(|name| name == "message");
    let is_log = is_log(metadata);
    let field = |name| FieldKey {
        key: StaticKey::new(name),
        role: if is_span {
            span_role(name)
        } else {
            event_role(name, has_message, is_log)
        },
        chain: format!("{name}.chain").into(),
    };
    names().map(field).collect()
}

/// Returns `true` for the callsites through which `tracing-log` passes records of the `log` crate.
pub(super) fn is_log(metadata: &Metadata<'static>) -> bool {
    let has_target = || metadata.fields().field("log.target").is_some();
    metadata.is_event() && metadata.target() == "log" && has_target()
}

fn constants(
    metadata: &Metadata<'static>,
    options: Options,
    limits: &SpanLimits,
) -> AttributeBuffer {
    let is_span = metadata.is_span();
    let mut constants = AttributeBuffer::new();
    let mut writer = if is_span {
        constants.span_writer(limits)
    } else {
        constants.event_writer(limits)
    };
    if !is_span || options.has(Switch::Level) {
        writer.set(&LEVEL, metadata.level().as_str());
    }
    if !is_span || options.has(Switch::Target) {
        writer.set(&TARGET, metadata.target());
    }
    if options.has(Switch::Location) {
        write_location(metadata, &mut writer);
    }
    constants
}

/// Writes where a callsite is in the source.
pub(super) fn write_location(metadata: &Metadata<'static>, writer: &mut AttributeWriter<'_>) {
    if is_log(metadata) {
        // Each record has its own.
        return;
    }
    if let Some(file) = metadata.file() {
        writer.set(&FILE, file);
    }
    if let Some(module) = metadata.module_path() {
        writer.set(&MODULE, module);
    }
    if let Some(line) = metadata.line() {
        writer.set(&LINE, i64::from(line));
    }
}

fn span_role(name: &str) -> Role {
    match name {
        "otel.name" => Role::Name,
        "otel.kind" => Role::Kind,
        "otel.status_code" => Role::StatusCode,
        "otel.status_description" => Role::StatusDescription,
        _ => Role::Plain,
    }
}

fn event_role(name: &str, has_message: bool, is_log: bool) -> Role {
    match name {
        "message" => Role::Message,
        "error" if !has_message => Role::Error,
        "log.target" if is_log => Role::Log(LogField::Target),
        "log.module_path" if is_log => Role::Log(LogField::Module),
        "log.file" if is_log => Role::Log(LogField::File),
        "log.line" if is_log => Role::Log(LogField::Line),
        name if is_log && name.starts_with("log.") => Role::Log(LogField::Other),
        _ => Role::Plain,
    }
}

impl fmt::Debug for Callsite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callsite")
            .field("name", &self.metadata.name())
            .field("fields", &self.fields.len())
            .finish_non_exhaustive()
    }
}
