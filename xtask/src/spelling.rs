//! Checks the spelling of every file, with the words that `typos.toml` adds.

use crate::cargo::run;
use crate::python::Python;

/// # Errors
///
/// If a word is misspelt. Each is printed with its place.
pub(crate) fn check() -> anyhow::Result<()> {
    // One version of the dictionary for everyone: a later one knows more mistakes.
    let Some(python) = Python::or_skip("spelling") else {
        return Ok(());
    };
    run(python.program("typos").args(["--format", "brief"]))?;
    println!("no word is misspelt");
    Ok(())
}
