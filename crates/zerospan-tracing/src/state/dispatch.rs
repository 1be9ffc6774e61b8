//! Finds the layers of a `Dispatch`, also where a downcast does not: behind `reload`, and where there are several.

use super::inner::LayerInner;
use super::trace_layer::TraceLayer;
#[cfg(loom)]
use std::sync::LazyLock;
use std::sync::{Arc, Weak};
use tracing_core::Dispatch;
use tracing_core::dispatcher::WeakDispatch;
use tracing_core::span::Id;
use tracing_subscriber::Registry;
use tracing_subscriber::registry::LookupSpan;
use zerospan_core::fork::PerProcess;
use zerospan_core::sync::{self, Mutex, MutexGuard};

/// A layer in a subscriber. The weak pointer keeps the address from being used again.
struct Attached {
    address: usize,
    dispatch: WeakDispatch,
    layer: Weak<LayerInner>,
}

#[cfg(not(loom))]
static ATTACHED: PerProcess<Mutex<Vec<Attached>>> = PerProcess::new_static(Mutex::new(Vec::new()));

/// The layers of this process.
#[cfg(not(loom))]
static CREATED: PerProcess<Mutex<Vec<Weak<LayerInner>>>> =
    PerProcess::new_static(Mutex::new(Vec::new()));

// The models use neither, and their locks are no constants.
#[cfg(loom)]
static ATTACHED: LazyLock<PerProcess<Mutex<Vec<Attached>>>> =
    LazyLock::new(|| PerProcess::new_static(Mutex::default()));
#[cfg(loom)]
static CREATED: LazyLock<PerProcess<Mutex<Vec<Weak<LayerInner>>>>> =
    LazyLock::new(|| PerProcess::new_static(Mutex::default()));

fn attached() -> MutexGuard<'static, Vec<Attached>> {
    sync::lock(ATTACHED.current_or_init(Mutex::default))
}

fn created() -> MutexGuard<'static, Vec<Weak<LayerInner>>> {
    sync::lock(CREATED.current_or_init(Mutex::default))
}

/// Notes that `layer` belongs to the subscriber of `dispatch`.
pub(crate) fn attach(layer: &Arc<LayerInner>, dispatch: &Dispatch) {
    let Some(address) = address(dispatch) else {
        return;
    };
    // Dropped outside the lock: a layer may have the last handle of a provider, and a dispatch the last one of a subscriber.
    let (mut gone, mut alive) = (Vec::new(), Vec::new());
    let mut attached = self::attached();
    let mut position = 0;
    while let Some(entry) = attached.get(position) {
        match entry.dispatch.upgrade() {
            Some(dispatch) if entry.layer.strong_count() > 0 => {
                alive.push(dispatch);
                position += 1;
            }
            _ => gone.push(attached.swap_remove(position)),
        }
    }
    let others: Vec<_> = attached
        .iter()
        .filter(|entry| entry.address == address)
        .filter_map(|entry| entry.layer.upgrade())
        .collect();
    if !others.iter().any(|other| Arc::ptr_eq(other, layer)) {
        attached.push(Attached {
            address,
            dispatch: dispatch.downgrade(),
            layer: Arc::downgrade(layer),
        });
    }
    drop(attached);
    for other in &others {
        if !Arc::ptr_eq(other, layer) {
            other.attachment.set_shared();
            layer.attachment.set_shared();
        }
    }
    drop((gone, alive, others));
}

/// Notes a layer, before it belongs to a subscriber.
pub(crate) fn register(layer: &Arc<LayerInner>) {
    let mut gone = Vec::new();
    let mut created = self::created();
    let (live, dead) = created
        .drain(..)
        .partition(|layer| layer.strong_count() > 0);
    *created = live;
    gone.extend::<Vec<_>>(dead);
    created.push(Arc::downgrade(layer));
    drop(created);
    drop(gone);
}

/// Returns the layers of the subscriber of `dispatch`.
fn layers(dispatch: &Dispatch) -> Vec<Arc<LayerInner>> {
    let Some(address) = address(dispatch) else {
        return Vec::new();
    };
    attached()
        .iter()
        .filter(|entry| entry.address == address)
        .filter_map(|entry| entry.layer.upgrade())
        .collect()
}

/// Finds a layer that holds a span of a subscriber and has not been attached to it: it was loaded later, behind `reload`.
fn discover(dispatch: &Dispatch, id: &Id) -> Option<Arc<LayerInner>> {
    let metadata = dispatch.downcast_ref::<Registry>()?.span(id)?.metadata();
    let created: Vec<_> = self::created().iter().filter_map(Weak::upgrade).collect();
    // Another subscriber's layer may hold a span of the same id.
    let holds = |layer: &&Arc<LayerInner>| {
        let held = layer
            .table()
            .with(id.into_u64(), |entry| entry.metadata)
            .flatten();
        held.is_some_and(|held| std::ptr::eq(held, metadata)) && !is_attached(layer)
    };
    let layer = created.iter().find(holds)?;
    attach(layer, dispatch);
    Some(Arc::clone(layer))
}

fn is_attached(layer: &Arc<LayerInner>) -> bool {
    let is_match = |entry: &Attached| std::ptr::eq(entry.layer.as_ptr(), Arc::as_ptr(layer));
    attached().iter().any(is_match)
}

/// Returns a subscriber that a layer belongs to.
pub(crate) fn of_layer(layer: &LayerInner) -> Option<Dispatch> {
    let is_match = |entry: &&Attached| std::ptr::eq(entry.layer.as_ptr(), layer);
    let attached = self::attached();
    attached.iter().find(is_match)?.dispatch.upgrade()
}

/// Returns the address of the subscriber's registry, which identifies the subscriber.
fn address(dispatch: &Dispatch) -> Option<usize> {
    let registry = dispatch.downcast_ref::<Registry>()?;
    Some(std::ptr::from_ref(registry).addr())
}

/// Calls `read` with each layer of a subscriber until it returns something for the span `id`.
pub(crate) fn find<O>(
    dispatch: &Dispatch,
    id: &Id,
    mut read: impl FnMut(&Arc<LayerInner>) -> Option<O>,
) -> Option<O> {
    let outermost = dispatch.downcast_ref::<TraceLayer>();
    if let Some(TraceLayer { inner: layer }) = outermost {
        let found = read(layer);
        if found.is_some() || !layer.attachment.is_shared() {
            return found;
        }
    }
    let layers = layers(dispatch);
    if layers.is_empty() {
        return discover(dispatch, id).as_ref().and_then(read);
    }
    let is_next = |layer: &&Arc<LayerInner>| {
        outermost.is_none_or(|outermost| !Arc::ptr_eq(&outermost.inner, layer))
    };
    layers.iter().filter(is_next).find_map(read)
}

/// Calls `work` with each layer of a subscriber, for the span `id`.
pub(crate) fn for_each(dispatch: &Dispatch, id: &Id, mut work: impl FnMut(&LayerInner)) {
    find(dispatch, id, |layer| {
        work(layer);
        // Goes on to the next one, if there is one.
        None::<()>
    });
}
