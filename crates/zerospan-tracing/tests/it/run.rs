//! Runs a program under a layer, and works out what the layer should make of it.

mod callsites;
mod expected;
mod extension;

pub(crate) use expected::{Identity, Truth};
pub(crate) use extension::{Extension, Ours, Theirs};

use crate::program::{
    Action, Callsite, EventParent, EventSite, Field, Fields, Followed, StatusCode, Step, THREADS,
    Whose,
};
use expected::Made;
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
};
use opentelemetry::{Context, ContextGuard, KeyValue};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tracing::{Dispatch, Span};
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use zerospan_core::sync::{self, Condvar, Mutex};

/// The outcome of a run.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// By number of the span.
    pub(crate) truths: Vec<Truth>,
    /// The integer ids of the threads.
    pub(crate) thread_ids: [u64; THREADS],
    /// The result of each `set_parent`, and the expected one.
    pub(crate) set_parents: Vec<(bool, bool)>,
}

pub(crate) fn remote(which: usize) -> SpanContext {
    let state = match which {
        1 => TraceState::from_key_value([("vendor", "state")]).expect("valid"),
        _ => TraceState::NONE,
    };
    SpanContext::new(
        TraceId::from(0xfeed_0000 + which as u128),
        SpanId::from(0xbeef_0000 + which as u64),
        TraceFlags::SAMPLED,
        true,
        state,
    )
}

/// A time in 1970, which the tests tell from the clock's.
pub(crate) fn long_ago(nanos: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(nanos)
}

/// Runs the program, each step on its thread and one after another. What is live at its end is exited and dropped.
pub(crate) fn run<E: Extension>(steps: &[Step], dispatch: &Dispatch) -> Outcome {
    let shared = Arc::new(Shared {
        turn: Mutex::new(0),
        moved: Condvar::new(),
        state: Mutex::new(State::default()),
    });
    let thread_ids = std::thread::scope(|scope| {
        let threads: [_; THREADS] = std::array::from_fn(|thread| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new()
                .name(format!("program-{thread}"))
                .spawn_scoped(scope, move || {
                    tracing::dispatcher::with_default(dispatch, || {
                        of_thread::<E>(thread, steps, dispatch, &shared);
                    });
                    thread_id()
                })
                .expect("a thread starts")
        });
        threads.map(|thread| thread.join().expect("no hook panics"))
    });
    let state = std::mem::take(&mut *sync::lock(&shared.state));
    Outcome {
        truths: state.truths(),
        set_parents: state.set_parents,
        thread_ids,
    }
}

fn thread_id() -> u64 {
    let id = format!("{:?}", std::thread::current().id());
    let id = id.trim_start_matches("ThreadId(").trim_end_matches(')');
    id.parse().expect("a number")
}

struct Shared {
    turn: Mutex<usize>,
    moved: Condvar,
    state: Mutex<State>,
}

fn of_thread<E: Extension>(thread: usize, steps: &[Step], dispatch: &Dispatch, shared: &Shared) {
    let mut guards: Vec<(usize, ContextGuard)> = Vec::new();
    let take_turn = |number: usize, work: &mut dyn FnMut(&mut State)| {
        // ThreadSanitizer sees these locks, and not those of the standard library.
        let mut turn = sync::lock(&shared.turn);
        while *turn != number {
            turn = sync::wait(&shared.moved, &shared.turn, turn, None);
        }
        let mut state = sync::lock(&shared.state);
        work(&mut state);
        drop(state);
        *turn += 1;
        shared.moved.notify_all();
    };
    for (number, step) in steps.iter().enumerate() {
        if step.thread == thread {
            take_turn(number, &mut |state| {
                state.take::<E>(thread, &step.action, dispatch, &mut guards);
            });
        }
    }
    take_turn(steps.len() + thread, &mut |state| {
        while !state.entered[thread].is_empty() {
            // In the order in which they were entered, backwards.
            let last = state.entered[thread].len() - 1;
            state.take::<E>(thread, &Action::Exit(last), dispatch, &mut guards);
        }
        if thread == THREADS - 1 {
            while !state.handles.is_empty() {
                state.take::<E>(thread, &Action::Drop(0), dispatch, &mut guards);
            }
        }
    });
}

#[derive(Default)]
struct State {
    handles: Vec<Handle>,
    /// By number.
    spans: Vec<Made>,
    entered: [Vec<Entered>; THREADS],
    attached: usize,
    /// The contexts that were attached to each thread.
    attached_on: [Vec<usize>; THREADS],
    set_parents: Vec<(bool, bool)>,
}

struct Handle {
    number: usize,
    span: Span,
}

struct Entered {
    current: Identity,
    /// The span, which lives until it is exited, or the number of the guard.
    holder: Result<Span, usize>,
}

impl State {
    fn truths(&self) -> Vec<Truth> {
        self.spans
            .iter()
            .map(|span| Truth {
                late_name: span.late_name.clone(),
                late_kind: span.late_kind.clone(),
                status: (span.statuses > 1).then(|| span.status.clone()),
                parent: span.parent,
                has_set_parent: span.has_set_parent,
                links: span.has_closed_link.then(|| span.links.clone()),
                errors_at_start: span.errors_at_start,
                nonsense: span.nonsense.clone(),
            })
            .collect()
    }

    fn span(&self, handle: usize) -> Option<(usize, Span)> {
        let handle = self.handles.get(handle)?;
        Some((handle.number, handle.span.clone()))
    }

    /// The later of the spans entered and the contexts attached on the thread.
    fn current(&self, thread: usize) -> Option<Identity> {
        self.entered[thread].last().map(|entered| entered.current)
    }

    fn take<E: Extension>(
        &mut self,
        thread: usize,
        action: &Action,
        dispatch: &Dispatch,
        guards: &mut Vec<(usize, ContextGuard)>,
    ) {
        match action {
            Action::Start(callsite, whose, fields) => self.start(thread, *callsite, *whose, fields),
            Action::Enter(handle) => {
                let Some((number, span)) = self.span(*handle) else {
                    return;
                };
                // Where a span is entered again within others, the registry takes the innermost of these for current.
                let entered = &self.entered[thread];
                let is_entered = |entry: &Entered| entry.current == Identity::Span(number);
                if entered.iter().any(is_entered) && !entered.last().is_some_and(is_entered) {
                    return;
                }
                span.with_subscriber(|(id, dispatch)| dispatch.enter(id));
                self.entered[thread].push(Entered {
                    current: Identity::Span(number),
                    holder: Ok(span),
                });
            }
            Action::Exit(which) => self.exit(thread, *which, guards),
            Action::Attach(which) => {
                // A context that is attached again cannot be told from the one in which a span was entered.
                if self.attached_on[thread].contains(which) {
                    return;
                }
                self.attached_on[thread].push(*which);
                let context = Context::new().with_remote_span_context(remote(*which));
                guards.push((self.attached, context.attach()));
                self.entered[thread].push(Entered {
                    current: Identity::Remote(*which),
                    holder: Err(self.attached),
                });
                self.attached += 1;
            }
            Action::Clone(handle) => {
                if let Some((number, span)) = self.span(*handle) {
                    self.handles.push(Handle { number, span });
                }
            }
            Action::Drop(handle) => {
                if *handle < self.handles.len() {
                    drop(self.handles.remove(*handle));
                }
            }
            Action::Event(site, parent, fields) => self.event(thread, *site, *parent, fields),
            Action::Follow(handle, followed) => self.follow(*handle, *followed, dispatch),
            Action::Record(handle, _)
            | Action::SetParent(handle, _)
            | Action::UseContext(handle)
            | Action::AddLink(handle, _)
            | Action::SetAttribute(handle, _)
            | Action::SetStatus(handle, ..)
            | Action::AddEvent(handle, _) => {
                if let Some((number, span)) = self.span(*handle) {
                    self.write::<E>(thread, number, &span, action);
                }
            }
        }
    }

    fn start(&mut self, thread: usize, callsite: Callsite, whose: Whose, fields: &Fields) {
        let number = self.spans.len();
        let (parent, id) = match whose {
            Whose::Contextual => (self.current(thread), None),
            Whose::Root => (None, Some(None)),
            Whose::Child(handle) => match self.span(handle) {
                Some((number, span)) => (Some(Identity::Span(number)), Some(span.id())),
                None => (None, Some(None)),
            },
        };
        if let Some(Identity::Span(number)) = parent {
            self.spans[number].is_known = true;
        }
        let span = callsite.start(number, id, fields);
        let mut made = Made {
            id: span.id().expect("enabled"),
            parent,
            has_set_parent: match parent {
                Some(Identity::Span(parent)) => self.spans[parent].has_set_parent,
                _ => false,
            },
            is_known: false,
            late_name: None,
            late_kind: None,
            status: Status::Unset,
            statuses: 0,
            links: Vec::new(),
            has_closed_link: false,
            errors_at_start: 0,
            nonsense: BTreeMap::new(),
        };
        for name in callsite.special_fields() {
            made.record_status(name, fields);
            made.record_nonsense(name, fields);
        }
        if let Callsite::Wide = callsite {
            let is_error = |name: &&str| matches!(fields.get(name), Some(Field::Error(_)));
            made.errors_at_start = ["error", "cause"]
                .iter()
                .filter(|name| is_error(name))
                .count();
        }
        self.spans.push(made);
        self.handles.push(Handle { number, span });
    }

    fn exit(&mut self, thread: usize, which: usize, guards: &mut Vec<(usize, ContextGuard)>) {
        let entered = &mut self.entered[thread];
        let Some(at) = which.checked_rem(entered.len()) else {
            return;
        };
        // Of a span that was entered several times, the last entry is taken back: an exit names the span alone.
        let current = entered[at].current;
        let at = match current {
            Identity::Span(_) => entered
                .iter()
                .rposition(|entry| entry.current == current)
                .unwrap_or(at),
            Identity::Remote(_) => at,
        };
        // Where contexts are detached out of order, the one that remains cannot be told from one that was attached later.
        let is_remote = |entry: &Entered| matches!(entry.current, Identity::Remote(_));
        let (below, above) = (&entered[..at], &entered[at + 1..]);
        if is_remote(&entered[at])
            && !above.is_empty()
            && (below.iter().any(is_remote) || above.iter().any(is_remote))
        {
            return;
        }
        match entered.remove(at).holder {
            Ok(span) => {
                span.with_subscriber(|(id, dispatch)| dispatch.exit(id));
            }
            Err(guard) => guards.retain(|(number, _)| *number != guard),
        }
    }

    fn event(&mut self, thread: usize, site: EventSite, parent: EventParent, fields: &Fields) {
        let (whose, id) = match parent {
            // Attached contexts are no spans of the registry.
            EventParent::Contextual => {
                let is_span = |current: &Identity| matches!(current, Identity::Span(_));
                let mut entered = self.entered[thread].iter().map(|entry| entry.current);
                (entered.rfind(is_span), None)
            }
            EventParent::Root => (None, Some(None)),
            EventParent::Of(handle) => match self.span(handle) {
                Some((number, span)) => (Some(Identity::Span(number)), Some(span.id())),
                None => (None, Some(None)),
            },
        };
        site.send(id, fields);
        if let Some(Identity::Span(number)) = whose {
            self.spans[number].event(site, fields);
        }
    }

    fn follow(&mut self, handle: usize, followed: Followed, dispatch: &Dispatch) {
        let Some((number, span)) = self.span(handle) else {
            return;
        };
        let other = match followed {
            Followed::Live(handle) => self.handles.get(handle).map(|handle| handle.number),
            Followed::Ever(number) => (number < self.spans.len()).then_some(number),
        };
        // The predecessor deadlocks where a span follows itself.
        let Some(other) = other.filter(|other| *other != number) else {
            return;
        };
        let id = self.spans[other].id.clone();
        let registry = dispatch.downcast_ref::<Registry>().expect("below");
        let is_live = registry.span(&id).is_some();
        span.follows_from(id);
        self.spans[other].is_known = true;
        let made = &mut self.spans[number];
        made.links.push(Identity::Span(other));
        made.has_closed_link |= !is_live;
    }

    fn write<E: Extension>(&mut self, thread: usize, number: usize, span: &Span, action: &Action) {
        let made = &mut self.spans[number];
        match action {
            Action::Record(_, fields) => {
                for (name, _) in &fields.0 {
                    if let Some(field) = fields.at(name) {
                        span.record(*name, field);
                        if span.has_field(*name) {
                            made.record(name, fields);
                        }
                    }
                }
            }
            Action::SetParent(_, which) => {
                // Another thread has entered it, with the ids that it has.
                let is_current = |entry: &Entered| entry.current == Identity::Span(number);
                let mut others = (0..THREADS).filter(|other| *other != thread);
                let is_elsewhere = others.any(|other| self.entered[other].iter().any(is_current));
                let context = match which {
                    Some(which) => Context::new().with_remote_span_context(remote(*which)),
                    None => Context::new(),
                };
                let is_known = made.is_known || is_elsewhere;
                // An empty context changes nothing, which it always may.
                let should = which.is_none() || !is_known;
                self.set_parents
                    .push((E::set_parent(span, context), should));
                made.has_set_parent = true;
                if let (Some(which), false) = (which, is_known) {
                    made.parent = Some(Identity::Remote(*which));
                }
            }
            Action::UseContext(_) => {
                let context = E::context(span);
                assert!(context.span().span_context().is_valid());
                made.is_known = true;
            }
            Action::AddLink(_, which) => {
                E::add_link(
                    span,
                    remote(*which),
                    vec![KeyValue::new("which", *which as i64)],
                );
                made.links.push(Identity::Remote(*which));
            }
            Action::SetAttribute(_, value) => E::set_attribute(span, "one", *value),
            Action::SetStatus(_, code, text) => {
                let status = match code {
                    StatusCode::Unset => Status::Unset,
                    StatusCode::Ok => Status::Ok,
                    StatusCode::Error => Status::error(text.clone()),
                };
                made.set_status(status.clone());
                E::set_status(span, status);
            }
            Action::AddEvent(_, name) => {
                E::add_event(span, name.clone(), long_ago(7), vec![KeyValue::new("a", 1)]);
            }
            _ => {}
        }
    }
}
