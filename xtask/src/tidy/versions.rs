//! The first row of each table of versions states what the manifests require.

use super::file::File;
use crate::cargo::{is_published, metadata};
use anyhow::Context;
use cargo_metadata::Package;
use std::collections::BTreeMap;

/// The pages with a table of versions, of which the first column is this crate.
const PAGES: [&str; 3] = ["README.md", "docs/versions.md", "crates/zerospan/README.md"];
const FIRST_COLUMN: &str = "| `zerospan` |";

pub(crate) fn check(files: &[File]) -> anyhow::Result<Vec<String>> {
    let packages = metadata()?.packages;
    let required = required(&packages)?;
    let mut findings = Vec::new();
    for page in PAGES {
        let text = files.iter().find(|file| file.path.as_os_str() == page);
        let found = compare(text.map_or("", |file| &file.text), &required);
        findings.extend(found.into_iter().map(|fault| format!("{page}: {fault}")));
    }
    Ok(findings)
}

/// Returns the version of the family, of Rust, and of each dependency of a crate, tests included, as a table states them.
fn required(packages: &[Package]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut required = BTreeMap::new();
    for package in packages.iter().filter(|package| is_published(package)) {
        let rust = package.rust_version.as_ref();
        let rust = rust.with_context(|| format!("{}: no `rust-version`", package.name))?;
        required.insert("Rust".to_owned(), format!("{}.{}", rust.major, rust.minor));
        let version = &package.version;
        let version = format!("{}.{}", version.major, version.minor);
        required.insert(package.name.to_string(), version);
        for dependency in &package.dependencies {
            let version = dependency.req.to_string();
            if dependency.path.is_none() {
                let version = version.trim_start_matches('^').to_owned();
                required.insert(dependency.name.clone(), version);
            }
        }
    }
    Ok(required)
}

/// Compares the first row of the table in `page`.
fn compare(page: &str, required: &BTreeMap<String, String>) -> Vec<String> {
    let mut lines = page
        .lines()
        .skip_while(|line| !line.starts_with(FIRST_COLUMN));
    let (Some(head), Some(row)) = (lines.next(), lines.nth(1)) else {
        return vec![format!(
            "no table whose head begins with `{FIRST_COLUMN}` and that has a row"
        )];
    };
    let cells = |line: &str| -> Vec<String> {
        let inner = line.trim().trim_matches('|');
        inner
            .split('|')
            .map(|cell| cell.trim().replace('`', ""))
            .collect()
    };
    let mut findings = Vec::new();
    for (column, stated) in cells(head).iter().zip(cells(row)) {
        match required.get(column) {
            Some(version) if *version == stated => {}
            Some(version) => findings.push(format!(
                "the table of versions states {column} {stated}, and the manifests require {version}"
            )),
            None => findings.push(format!(
                "the table of versions has a column {column}, and no manifest depends on that"
            )),
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::compare;
    use std::collections::BTreeMap;

    const PAGE: &str = "# Versions\n\n| `zerospan` | `opentelemetry` | Rust |\n|---|---|---|\n| 0.1 | 0.33 | 1.90 |\n";

    fn required(opentelemetry: &str) -> BTreeMap<String, String> {
        [
            ("zerospan", "0.1"),
            ("opentelemetry", opentelemetry),
            ("Rust", "1.90"),
        ]
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .into()
    }

    #[test]
    fn a_row_that_differs_from_the_manifests_is_a_finding() {
        assert_eq!(compare(PAGE, &required("0.33")), Vec::<String>::new());
        assert_eq!(
            compare(PAGE, &required("0.34")),
            ["the table of versions states opentelemetry 0.33, and the manifests require 0.34"]
        );
    }

    #[test]
    fn a_page_without_a_row_is_a_finding() {
        assert_eq!(compare("# Versions\n", &required("0.33")).len(), 1);
        let head: String = PAGE.lines().take(4).collect::<Vec<_>>().join("\n");
        assert_eq!(compare(&head, &required("0.33")).len(), 1);
    }
}
