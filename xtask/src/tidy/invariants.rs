//! Checks that each invariant of the architecture names the test that holds it, and that the test exists.

use super::file::File;
use super::functions::{Functions, quoted};

const PAGE: &str = "docs/architecture.md";

pub(crate) fn check(files: &[File]) -> Vec<String> {
    let Some(page) = files.iter().find(|file| file.path.ends_with(PAGE)) else {
        return vec![format!("{PAGE} is missing")];
    };
    let functions = Functions::of(files);
    let mut findings = Vec::new();
    for invariant in invariants(&page.text) {
        if quoted(&invariant).next().is_none() {
            findings.push(format!("{PAGE}: this invariant names no test: {invariant}"));
        }
        for name in functions.missing(&invariant) {
            findings.push(format!("{PAGE}: no test is called `{name}`"));
        }
    }
    findings
}

/// Returns the list items that state an invariant, each as one line.
fn invariants(text: &str) -> Vec<String> {
    let mut items: Vec<String> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        if line.starts_with("- **Invariant:**") {
            inside = true;
            items.push(line.to_owned());
        } else if inside && line.starts_with("  ") {
            if let Some(item) = items.last_mut() {
                item.push_str(&line[1..]);
            }
        } else {
            inside = false;
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::file::File;

    fn findings(page: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.to_owned(),
        };
        check(&[
            file(super::PAGE, page),
            file("a.rs", "fn what_must_hold() {}"),
        ])
    }

    #[test]
    fn a_test_that_exists_holds_an_invariant() {
        assert!(findings("- **Invariant:** it holds:\n  `it::what_must_hold`.\n").is_empty());
    }

    #[test]
    fn a_test_that_does_not_exist_is_found() {
        assert_eq!(
            findings("- **Invariant:** it holds: `what_does_not_hold`.\n").len(),
            1
        );
        assert_eq!(
            findings("- **Invariant:** it holds: `what_must`.\n"),
            Vec::<String>::new()
        );
        assert_eq!(
            findings("- **Invariant:** it holds: `what_must_ho`.\n").len(),
            1
        );
        assert_eq!(findings("- **Invariant:** trust me.\n").len(), 1);
    }
}
