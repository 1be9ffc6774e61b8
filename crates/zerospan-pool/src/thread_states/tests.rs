use super::{DropSignal, OwnerId, ThreadState, ThreadStates, bump_epoch};
use std::cell::{Cell, RefCell};
use std::mem;
use std::rc::{Rc, Weak};

/// An owner that runs `on_garbage` for each state that is unbound after its drop.
struct Owner {
    id: OwnerId,
    inner: Rc<Inner>,
    _signal: DropSignal,
}

struct Inner {
    returned: Rc<Cell<usize>>,
    on_garbage: Rc<dyn Fn()>,
}

#[derive(Default)]
struct State {
    inner: RefCell<Weak<Inner>>,
    on_garbage: RefCell<Option<Rc<dyn Fn()>>>,
}

struct Garbage(Option<Rc<dyn Fn()>>);

impl Drop for Garbage {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run();
        }
    }
}

impl ThreadState for State {
    type Owner = Owner;
    type Garbage = Garbage;

    fn bind(&self, owner: &Owner) {
        self.inner.replace(Rc::downgrade(&owner.inner));
        self.on_garbage
            .replace(Some(owner.inner.on_garbage.clone()));
    }

    fn is_stale(&self) -> bool {
        self.inner.borrow().strong_count() == 0
    }

    fn unbind(&self) -> Garbage {
        let on_garbage = self.on_garbage.take();
        match self.inner.take().upgrade() {
            Some(inner) => {
                inner.returned.set(inner.returned.get() + 1);
                Garbage(None)
            }
            None => Garbage(on_garbage),
        }
    }

    fn forget(&self) {
        mem::forget((self.on_garbage.take(), self.inner.take()));
    }
}

impl Owner {
    fn new() -> Self {
        Self::with_garbage(|| {})
    }

    fn with_garbage(on_garbage: impl Fn() + 'static) -> Self {
        Self {
            id: OwnerId::unique(),
            inner: Rc::new(Inner {
                returned: Rc::default(),
                on_garbage: Rc::new(on_garbage),
            }),
            _signal: DropSignal,
        }
    }
}

fn count(states: &ThreadStates<State>) -> (usize, usize) {
    (states.iter().count(), states.nodes().count())
}

#[test]
fn a_state_is_found_by_its_owner_alone() {
    let states = ThreadStates::new();
    let owners: Vec<_> = (0..5).map(|_| Owner::new()).collect();
    for owner in &owners {
        assert!(states.get(owner.id).is_none());
        states.register(owner.id, owner);
    }
    for owner in &owners {
        let state: &State = states.get(owner.id).expect("registered");
        assert!(Weak::ptr_eq(
            &state.inner.borrow(),
            &Rc::downgrade(&owner.inner)
        ));
        assert!(std::ptr::eq(state, states.register(owner.id, owner)));
    }
    assert_eq!(count(&states), (5, 5));
}

#[test]
fn a_stale_state_is_bound_to_the_next_owner() {
    let states = ThreadStates::<State>::new();
    let stays = Owner::new();
    states.register(stays.id, &stays);
    for _ in 0..10 {
        let owner = Owner::new();
        states.register(owner.id, &owner);
    }
    assert_eq!(count(&states), (2, 2));
    states.sweep_if_due();
    assert_eq!(count(&states), (1, 2));
    assert_eq!(stays.inner.returned.get(), 0);
}

#[test]
fn a_sweep_waits_for_the_epoch() {
    let states = ThreadStates::<State>::new();
    let Owner { id, inner, _signal } = Owner::new();
    let owner = Owner { id, inner, _signal };
    states.register(id, &owner);
    let Owner { inner, _signal, .. } = owner;
    // Other tests of this process may advance the epoch: claim that this list has seen it.
    states.sweep_if_due();
    drop(inner);
    assert!(states.get(id).is_some());
    drop(_signal);
    states.sweep_if_due();
    assert!(states.get(id).is_none());
}

#[test]
fn dropping_the_list_returns_every_state_to_its_owner() {
    let states = ThreadStates::<State>::new();
    let owners = [Owner::new(), Owner::new()];
    for owner in &owners {
        states.register(owner.id, owner);
    }
    drop(states);
    for owner in &owners {
        assert_eq!(owner.inner.returned.get(), 1);
    }
}

#[test]
fn a_state_of_another_process_is_forgotten_by_a_sweep_and_by_the_end_of_the_list() {
    for is_swept in [false, true] {
        let states = ThreadStates::<State>::new();
        let owners = [Owner::new(), Owner::new()];
        for owner in &owners {
            states.register(owner.id, owner);
        }
        // As in a child that was forked after the first was registered.
        let first = states.nodes().next().expect("registered");
        first.generation.set(u64::MAX);
        if is_swept {
            bump_epoch();
            states.sweep_if_due();
            assert_eq!(count(&states), (1, 2));
            assert!(states.get(owners[0].id).is_none());
            assert!(states.get(owners[1].id).is_some());
        }
        drop(states);
        let returned = owners.each_ref().map(|owner| owner.inner.returned.get());
        assert_eq!(returned, [0, 1], "nothing returns to the parent's owner");
    }
}

#[test]
fn garbage_may_use_the_list() {
    thread_local! {
        static STATES: ThreadStates<State> = const { ThreadStates::new() };
    }
    let other = Rc::new(Owner::new());
    let runs = Rc::new(Cell::new(0));
    for _ in 0..3 {
        let (other, runs) = (other.clone(), runs.clone());
        let owner = Owner::with_garbage(move || {
            STATES.with(|states| {
                states.register(other.id, &other);
                states.sweep_if_due();
            });
            runs.set(runs.get() + 1);
        });
        STATES.with(|states| states.register(owner.id, &owner).is_stale());
    }
    // The sweep registers `other` while it is asked to register it.
    STATES.with(|states| {
        states.register(other.id, &other);
        assert_eq!(states.iter().count(), 1);
    });
    assert_eq!(runs.get(), 3);
}

#[test]
fn a_panic_of_garbage_leaves_the_list_consistent() {
    let states = ThreadStates::<State>::new();
    let runs = Rc::new(Cell::new(0));
    let owners = [
        Owner::with_garbage(|| panic!("garbage")),
        Owner::with_garbage({
            let runs = runs.clone();
            move || runs.set(runs.get() + 1)
        }),
    ];
    for owner in &owners {
        states.register(owner.id, owner);
    }
    drop(owners);
    let sweep = std::panic::AssertUnwindSafe(|| states.sweep_if_due());
    assert!(std::panic::catch_unwind(sweep).is_err());
    assert_eq!((count(&states), runs.get()), ((0, 2), 1));
}

#[test]
fn the_drop_of_a_long_list_does_not_recurse() {
    let states = ThreadStates::<State>::new();
    let owner = Owner::new();
    let mut end = &states.first;
    for _ in 0..300_000 {
        end = &end.get_or_init(|| Box::new(super::Node::new())).next;
    }
    states.register(owner.id, &owner);
    bump_epoch();
    drop(states);
    assert_eq!(owner.inner.returned.get(), 1);
}
