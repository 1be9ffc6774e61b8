mod oracle;
mod propagator;
mod trace_parent;
mod trace_state;
