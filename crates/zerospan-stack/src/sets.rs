pub(crate) mod fixed;
pub(crate) mod inline;
pub(crate) mod into_iter;
pub(crate) mod stack;
