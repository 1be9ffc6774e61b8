/// The destination of events, in a layer with a logger provider.
///
/// Events outside of all spans become log records in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventsTo {
    /// To their span, as span events.
    Spans,
    /// To the logs signal, as log records with the ids of their span.
    #[default]
    Logs,
    /// To both.
    Both,
}
