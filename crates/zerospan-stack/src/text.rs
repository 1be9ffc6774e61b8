pub(crate) mod address;
pub(crate) mod inline_str;
pub(crate) mod pieces;
pub(crate) mod write;
