//! Faults that the predecessor's users reported: each test is named after the right behaviour.

mod context;
mod layers;
mod parents;
mod tolerance;
mod values;
mod when;
