//! The crates depend on each other exactly as the table in `docs/architecture.md` lists, dev-dependencies included.

use super::file::File;
use crate::cargo::{is_published, metadata};
use cargo_metadata::{DependencyKind, Package};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/architecture.md";

/// The column of the table that lists dependencies begins so.
const COLUMN: &str = "depends on";

pub(crate) fn check(files: &[File]) -> anyhow::Result<Vec<String>> {
    let metadata = metadata()?;
    let page = files.iter().find(|file| file.path.ends_with(PAGE));
    let rows = page.map_or_else(BTreeMap::new, |page| parse_table(&page.text));
    let crates: Vec<Crate> = metadata.packages.iter().map(Crate::from).collect();
    Ok(compare(&crates, &rows))
}

/// A package of the workspace.
struct Crate {
    name: String,
    is_published: bool,
    /// Its dependencies in the workspace.
    dependencies: BTreeSet<String>,
    /// Those of them that every user of the crate builds.
    required: BTreeSet<String>,
}

impl From<&Package> for Crate {
    fn from(package: &Package) -> Self {
        let inside = || {
            package.dependencies.iter().filter(|dependency| {
                // A crate's tests may depend on the crate itself, to turn its features on.
                dependency.path.is_some() && dependency.name != *package.name
            })
        };
        Self {
            name: package.name.to_string(),
            is_published: is_published(package),
            dependencies: inside().map(|dependency| dependency.name.clone()).collect(),
            required: inside()
                .filter(|dependency| {
                    dependency.kind == DependencyKind::Normal && !dependency.optional
                })
                .map(|dependency| dependency.name.clone())
                .collect(),
        }
    }
}

/// The third column of a row.
#[derive(Debug, PartialEq)]
enum Allowed {
    Crates(BTreeSet<String>),
    /// Every other crate of the table, each with a feature of its name.
    AllOptional,
}

/// Returns the rows of the table by the name of the crate.
fn parse_table(page: &str) -> BTreeMap<String, Allowed> {
    page.lines()
        .skip_while(|line| !(line.starts_with("| crate |") && line.contains(COLUMN)))
        .skip(2)
        .map_while(|line| line.strip_prefix('|')?.trim_end().strip_suffix('|'))
        .filter_map(|line| {
            let mut cells = line.split('|');
            let name = cells.next()?.split('`').nth(1)?;
            Some((name.to_owned(), parse_allowed(cells.next_back()?.trim())))
        })
        .collect()
}

fn parse_allowed(cell: &str) -> Allowed {
    match cell {
        "all, optional" => Allowed::AllOptional,
        "–" => Allowed::Crates(BTreeSet::new()),
        names => Allowed::Crates(
            names
                .split(", ")
                .map(|name| format!("zerospan-{name}"))
                .collect(),
        ),
    }
}

fn compare(crates: &[Crate], rows: &BTreeMap<String, Allowed>) -> Vec<String> {
    if rows.is_empty() {
        return vec![format!(
            "{PAGE}: no table with the columns `crate` and `{COLUMN}`"
        )];
    }
    let mut findings = Vec::new();
    for found in crates {
        let name = &found.name;
        let allowed = match rows.get(name) {
            Some(Allowed::Crates(allowed)) => allowed.clone(),
            Some(Allowed::AllOptional) => {
                findings.extend(found.required.iter().map(|to| {
                    format!("{name} -> {to}: not optional, as the table in {PAGE} has it")
                }));
                rows.keys()
                    .filter(|other| *other != name)
                    .cloned()
                    .collect()
            }
            None if found.is_published => {
                findings.push(format!("{name} has no row in the table in {PAGE}"));
                continue;
            }
            // What is not published may depend on everything that is.
            None => {
                let unpublished = found
                    .dependencies
                    .iter()
                    .filter(|to| !rows.contains_key(*to));
                findings.extend(unpublished.map(|to| {
                    format!("{name} -> {to}: nothing depends on a package that is not published")
                }));
                continue;
            }
        };
        findings.extend(found.dependencies.difference(&allowed).map(|to| {
            format!("{name} -> {to}: not in the table in {PAGE}: remove the dependency, or justify it there")
        }));
        findings.extend(allowed.difference(&found.dependencies).map(|to| {
            format!("{name} -> {to}: in the table in {PAGE}, but Cargo.toml has no such dependency")
        }));
    }
    let absent = rows
        .keys()
        .filter(|row| !crates.iter().any(|found| found.name == **row));
    findings
        .extend(absent.map(|row| format!("{row} is in the table in {PAGE}, but is no package")));
    findings
}

#[cfg(test)]
mod tests {
    use super::{Allowed, Crate, compare, parse_table};
    use std::collections::BTreeSet;

    const PAGE: &str = "\
# Architecture

| crate | responsibility | depends on, in the workspace |
|---|---|---|
| [`zerospan-core`](../crates/zerospan-core/README.md) | traits | – |
| [`zerospan-pool`](../crates/zerospan-pool/README.md) | pools | core |
| [`zerospan`](../crates/zerospan/README.md) | umbrella | all, optional |

More text.
";

    fn package(name: &str, dependencies: &[&str]) -> Crate {
        Crate {
            name: name.to_owned(),
            is_published: true,
            dependencies: names(dependencies),
            required: BTreeSet::new(),
        }
    }

    fn names(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Compares the page with the crates that it describes, after a change to them.
    fn findings(change: impl FnOnce(&mut Vec<Crate>)) -> Vec<String> {
        let mut crates = vec![
            package("zerospan-core", &[]),
            package("zerospan-pool", &["zerospan-core"]),
            package("zerospan", &["zerospan-core", "zerospan-pool"]),
            Crate {
                is_published: false,
                ..package("benches", &["zerospan"])
            },
        ];
        change(&mut crates);
        compare(&crates, &parse_table(PAGE))
    }

    #[test]
    fn the_table_is_read_from_the_page() {
        let rows = parse_table(PAGE);
        assert_eq!(rows.len(), 3);
        assert_eq!(rows["zerospan-core"], Allowed::Crates(names(&[])));
        assert_eq!(
            rows["zerospan-pool"],
            Allowed::Crates(names(&["zerospan-core"]))
        );
        assert_eq!(rows["zerospan"], Allowed::AllOptional);
        assert_eq!(findings(|_| {}), Vec::<String>::new());
    }

    #[test]
    fn an_edge_outside_the_table_is_a_finding() {
        let found = findings(|crates| crates[0] = package("zerospan-core", &["zerospan-pool"]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("zerospan-core -> zerospan-pool: not in the table"));
        let found = findings(|crates| {
            crates[1] = package("zerospan-pool", &["zerospan-core", "zerospan"]);
        });
        assert!(found[0].contains("zerospan-pool -> zerospan:"), "{found:?}");
    }

    #[test]
    fn an_edge_of_the_table_that_no_manifest_has_is_a_finding() {
        let found = findings(|crates| crates[1] = package("zerospan-pool", &[]));
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("zerospan-pool -> zerospan-core: in the table"));
    }

    #[test]
    fn the_umbrellas_dependencies_are_all_optional() {
        let found = findings(|crates| crates[2].required = names(&["zerospan-core"]));
        assert!(found[0].contains("zerospan -> zerospan-core: not optional"));
    }

    #[test]
    fn every_published_package_has_a_row_and_every_row_is_a_package() {
        let found = findings(|crates| crates.push(package("zerospan-other", &[])));
        assert!(found[0].contains("zerospan-other has no row"), "{found:?}");
        let found = findings(|crates| crates.truncate(2));
        assert!(found[0].contains("zerospan is in the table"), "{found:?}");
        assert_eq!(compare(&[], &parse_table("")).len(), 1);
    }

    #[test]
    fn nothing_depends_on_a_package_that_is_not_published() {
        let found =
            findings(|crates| crates[1] = package("zerospan-pool", &["zerospan-core", "benches"]));
        assert!(found[0].contains("zerospan-pool -> benches"), "{found:?}");
        let found = findings(|crates| {
            let _ = crates[3].dependencies.insert("demo".to_owned());
        });
        assert!(found[0].contains("benches -> demo"), "{found:?}");
    }
}
