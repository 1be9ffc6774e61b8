use crate::target::Peer;
use tonic::metadata::MetadataMap;
use tonic::transport::Endpoint;

/// The settings of all calls.
pub(super) struct Settings {
    pub(super) peer: Peer,
    /// The facts that `tonic` needs of the server and of its connections, TLS included.
    pub(super) endpoint: Endpoint,
    /// The headers of each request.
    pub(super) metadata: MetadataMap,
    #[cfg_attr(not(feature = "gzip"), allow(dead_code))]
    pub(super) gzip: bool,
}
