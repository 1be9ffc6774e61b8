//! The drop-ins under the stock SDK's provider.

mod drop_in;
mod support;
