use crate::target::Target;
use crate::tls::GrpcTls;
use uri::HeaderMap;

/// The settings of all calls.
#[cfg_attr(not(feature = "tls"), allow(dead_code))]
pub(super) struct Settings {
    pub(super) target: Target,
    /// The headers of each request, the protocol's included.
    pub(super) headers: HeaderMap,
    pub(super) tls: GrpcTls,
}
