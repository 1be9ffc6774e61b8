pub(crate) mod attribute;
pub(crate) mod encoding;
pub(crate) mod sink;
pub(crate) mod source;
pub(crate) mod value;
