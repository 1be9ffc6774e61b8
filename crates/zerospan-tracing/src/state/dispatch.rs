//! Finds the layers of a `Dispatch`, also where a downcast does not: behind `reload`, and where there are several.

use super::inner::LayerInner;
use super::trace_layer::TraceLayer;
use std::sync::{Arc, Weak};
use tracing_core::Dispatch;
use tracing_core::dispatcher::WeakDispatch;
use tracing_subscriber::Registry;
use zerospan_core::sync::{self, Mutex};

/// A layer in a subscriber. The weak pointer keeps the address from being used again.
struct Attached {
    address: usize,
    dispatch: WeakDispatch,
    layer: Weak<LayerInner>,
}

static ATTACHED: Mutex<Vec<Attached>> = Mutex::new(Vec::new());

/// Notes that `layer` belongs to the subscriber of `dispatch`.
pub(crate) fn attach(layer: &Arc<LayerInner>, dispatch: &Dispatch) {
    let Some(address) = address(dispatch) else {
        return;
    };
    // Dropped outside the lock: a layer may have the last handle of a provider, and a dispatch the last one of a subscriber.
    let (mut gone, mut alive) = (Vec::new(), Vec::new());
    let mut attached = sync::lock(&ATTACHED);
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
    layer.attachment.set_attached();
    for other in &others {
        if !Arc::ptr_eq(other, layer) {
            other.attachment.set_shared();
            layer.attachment.set_shared();
        }
    }
    drop((gone, alive, others));
}

/// Returns the layers that were attached to the subscriber of `dispatch`.
pub(crate) fn layers(dispatch: &Dispatch) -> Vec<Arc<LayerInner>> {
    let Some(address) = address(dispatch) else {
        return Vec::new();
    };
    sync::lock(&ATTACHED)
        .iter()
        .filter(|entry| entry.address == address)
        .filter_map(|entry| entry.layer.upgrade())
        .collect()
}

/// Returns the address of the subscriber's registry, which identifies the subscriber.
fn address(dispatch: &Dispatch) -> Option<usize> {
    let registry = dispatch.downcast_ref::<Registry>()?;
    Some(std::ptr::from_ref(registry).addr())
}

/// Calls `read` with each layer of a subscriber until it returns something.
pub(crate) fn find<O>(
    dispatch: &Dispatch,
    mut read: impl FnMut(&Arc<LayerInner>) -> Option<O>,
) -> Option<O> {
    let outermost = dispatch.downcast_ref::<TraceLayer>();
    if let Some(TraceLayer { inner: layer }) = outermost {
        let found = read(layer);
        if found.is_some() || !layer.attachment.is_shared() {
            return found;
        }
    }
    let seen = |layer: &&Arc<LayerInner>| {
        outermost.is_none_or(|outermost| !Arc::ptr_eq(&outermost.inner, layer))
    };
    layers(dispatch).iter().filter(seen).find_map(read)
}

/// Calls `work` with each layer of a subscriber.
pub(crate) fn for_each(dispatch: &Dispatch, mut work: impl FnMut(&LayerInner)) {
    find(dispatch, |layer| {
        work(layer);
        // Goes on to the next one, if there is one.
        None::<()>
    });
}
