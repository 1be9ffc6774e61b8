//! What the predecessor's users reported, each named after what is right.

mod context;
mod layers;
mod parents;
mod tolerance;
mod values;
mod when;
