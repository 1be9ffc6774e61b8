//! Imports between the files of a crate point one way.
//!
//! A file imports another where it names something that the other defines, in a `use` or in a path such as
//! `crate::wire::take_varint`. A re-exported name counts as the file that defines it, and `pub use` alone is no import:
//! neither `lib.rs` nor a parent module that only declares and re-exports takes part in a cycle. Code for tests is left out.
//!
//! cargo-modules finds the first cycle between modules, with neither lines nor exceptions, and takes minutes to build;
//! here `syn` reads the sources.

mod imports;
mod modules;

use crate::cargo::metadata;
use cargo_metadata::{Package, Target, TargetKind};
use imports::{Import, imports};
use modules::Modules;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A cycle that is inherent.
struct Knot {
    package: &'static str,
    /// The module, below `src`, whose files and folder hold the whole cycle.
    folder: &'static str,
    reason: &'static str,
}

const KNOTS: [Knot; 1] = [Knot {
    package: "zerospan-trace",
    folder: "span",
    reason: "dropping a span calls processors, which take a span",
}];

/// Returns the cycles of every target of the workspace that other code is built on: libraries and programs.
pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let metadata = metadata()?;
    let mut findings = Vec::new();
    for package in &metadata.packages {
        let mut cycles = Vec::new();
        for target in package.targets.iter().filter(|target| is_checked(target)) {
            let root = target.src_path.as_std_path();
            let modules = Modules::read(root, &|path| fs::read_to_string(path).ok())?;
            cycles.extend(find_cycles(imports(&modules)));
        }
        let source = source_folder(package);
        findings.extend(judge(&package.name, &source, &cycles, &KNOTS));
    }
    Ok(findings)
}

fn is_checked(target: &Target) -> bool {
    target
        .kind
        .iter()
        .any(|kind| matches!(kind, TargetKind::Lib | TargetKind::Bin))
}

fn source_folder(package: &Package) -> PathBuf {
    let manifest = package.manifest_path.as_std_path();
    manifest.parent().unwrap_or(manifest).join("src")
}

/// Returns the imports of each group of files that all reach each other.
fn find_cycles(imports: Vec<Import>) -> Vec<Vec<Import>> {
    let mut reached: BTreeMap<PathBuf, BTreeSet<PathBuf>> = BTreeMap::new();
    for import in &imports {
        let to = import.to.clone();
        reached.entry(import.from.clone()).or_default().insert(to);
    }
    // Warshall's closure: a crate has some fifty files.
    for middle in reached.keys().cloned().collect::<Vec<_>>() {
        let beyond = reached[&middle].clone();
        for set in reached.values_mut().filter(|set| set.contains(&middle)) {
            set.extend(beyond.iter().cloned());
        }
    }
    let reaches = |from: &Path, to: &Path| reached.get(from).is_some_and(|set| set.contains(to));
    // The files of a cycle reach the same files. The first of these that reaches back identifies the cycle.
    let mut cycles: BTreeMap<Option<&PathBuf>, Vec<Import>> = BTreeMap::new();
    for import in imports {
        if reaches(&import.to, &import.from) {
            let first = reached[&import.from]
                .iter()
                .find(|file| reaches(file, &import.from));
            cycles.entry(first).or_default().push(import);
        }
    }
    cycles.into_values().collect()
}

/// Returns a finding for each cycle that is not a listed knot, and for each listed knot without a cycle.
fn judge(package: &str, source: &Path, cycles: &[Vec<Import>], knots: &[Knot]) -> Vec<String> {
    let mut unused: Vec<&Knot> = knots
        .iter()
        .filter(|knot| knot.package == package)
        .collect();
    let mut findings = Vec::new();
    for cycle in cycles {
        let holds = |knot: &Knot| {
            let folder = source.join(knot.folder);
            let file = folder.with_extension("rs");
            cycle
                .iter()
                .all(|import| import.from.starts_with(&folder) || import.from == file)
        };
        let listed = knots
            .iter()
            .any(|knot| knot.package == package && holds(knot));
        unused.retain(|knot| !holds(knot));
        if !listed {
            findings.push(describe(package, source, cycle));
        }
    }
    findings.extend(unused.into_iter().map(|knot| {
        format!(
            "{package}: no cycle is left in src/{}, where one is allowed because {}: \
             remove the entry from KNOTS in xtask/src/tidy/cycles.rs",
            knot.folder, knot.reason
        )
    }));
    findings
}

fn describe(package: &str, source: &Path, cycle: &[Import]) -> String {
    let name = |path: &Path| {
        path.strip_prefix(source)
            .unwrap_or(path)
            .display()
            .to_string()
    };
    let mut pairs: BTreeMap<(String, String), (usize, Vec<&str>)> = BTreeMap::new();
    for import in cycle {
        let (line, names) = pairs
            .entry((name(&import.from), name(&import.to)))
            .or_insert((import.line, Vec::new()));
        *line = import.line.min(*line);
        names.push(&import.name);
    }
    let files: BTreeSet<&str> = pairs.keys().map(|(from, _)| from.as_str()).collect();
    let files = files.into_iter().collect::<Vec<_>>().join(", ");
    let mut text = format!("{package}: these files import each other in a cycle: {files}\n");
    for ((from, to), (line, names)) in &pairs {
        text += &format!(
            "    src/{from}:{line} imports from {to}: {}\n",
            names.join(", ")
        );
    }
    text + "    To break it, move what both sides need into a file of a lower layer, or pass it as an argument"
}

#[cfg(test)]
mod tests {
    use super::{Import, Knot, Modules, find_cycles, imports, judge};
    use std::path::Path;

    const KNOT: Knot = Knot {
        package: "zerospan-x",
        folder: "span",
        reason: "it is inherent",
    };

    fn imports_of(files: &[(&str, &str)]) -> Vec<Import> {
        let read = |path: &Path| {
            let (_, text) = files
                .iter()
                .find(|(name, _)| Path::new("src").join(name) == path)?;
            Some((*text).to_owned())
        };
        let modules = Modules::read(Path::new("src/lib.rs"), &read).unwrap();
        imports(&modules)
    }

    fn findings(files: &[(&str, &str)], knots: &[Knot]) -> Vec<String> {
        let cycles = find_cycles(imports_of(files));
        judge("zerospan-x", Path::new("src"), &cycles, knots)
    }

    #[track_caller]
    fn assert_cycle(files: &[(&str, &str)]) {
        let findings = findings(files, &[]);
        assert_eq!(findings.len(), 1, "{findings:?}");
    }

    #[track_caller]
    fn assert_no_cycle(files: &[(&str, &str)]) {
        assert_eq!(findings(files, &[]), Vec::<String>::new());
    }

    #[test]
    fn a_cycle_is_reported_with_its_files_and_lines() {
        let findings = findings(
            &[
                ("lib.rs", "mod a; mod b; mod c; pub use a::A;"),
                ("a.rs", "use crate::b::B;\npub struct A(B);"),
                (
                    "b.rs",
                    "\npub struct B; impl B { fn a(&self) -> super::c::C {} }",
                ),
                ("c.rs", "use crate::A;\npub struct C(A);"),
            ],
            &[],
        );
        assert_eq!(findings.len(), 1, "{findings:?}");
        for part in [
            "a.rs, b.rs, c.rs",
            "src/a.rs:1 imports from b.rs: B",
            "src/b.rs:2 imports from c.rs: C",
            "src/c.rs:1 imports from a.rs: A",
        ] {
            assert!(findings[0].contains(part), "{part}: {}", findings[0]);
        }
    }

    #[test]
    fn two_cycles_are_two_findings() {
        let findings = findings(
            &[
                ("lib.rs", "mod a; mod b; mod c; mod d;"),
                ("a.rs", "use crate::{b::B, c::C}; pub struct A;"),
                ("b.rs", "use crate::a::A; pub struct B;"),
                ("c.rs", "use crate::d::D; pub struct C;"),
                ("d.rs", "use crate::c::C; pub struct D;"),
            ],
            &[],
        );
        assert_eq!(findings.len(), 2, "{findings:?}");
    }

    #[test]
    fn a_listed_knot_is_allowed_within_its_folder_alone() {
        let knot = [
            ("lib.rs", "mod span;"),
            ("span.rs", "mod end; use end::End; pub struct Span(End);"),
            ("span/end.rs", "use super::Span; pub struct End;"),
        ];
        assert_eq!(findings(&knot, &[KNOT]), Vec::<String>::new());
        assert_eq!(findings(&knot, &[]).len(), 1);
        let wider = [
            ("lib.rs", "mod span; mod other;"),
            ("span.rs", "use crate::other::Other; pub struct Span;"),
            ("other.rs", "use crate::span::Span; pub struct Other;"),
        ];
        assert_eq!(findings(&wider, &[KNOT]).len(), 2);
    }

    #[test]
    fn a_listed_knot_that_is_gone_is_a_finding() {
        let findings = findings(
            &[("lib.rs", "mod span;"), ("span.rs", "pub struct Span;")],
            &[KNOT],
        );
        assert!(
            findings[0].contains("no cycle is left in src/span"),
            "{findings:?}"
        );
    }

    #[test]
    fn a_parent_that_declares_and_re_exports_takes_no_part() {
        assert_no_cycle(&[
            (
                "lib.rs",
                "mod a; pub use a::{A, Deep}; pub const LIMIT: usize = 1;",
            ),
            ("a.rs", "mod deep; pub(crate) use deep::Deep; pub struct A;"),
            (
                "a/deep.rs",
                "use super::A; use crate::LIMIT; pub struct Deep(A);",
            ),
        ]);
        assert_cycle(&[
            ("lib.rs", "mod a;"),
            (
                "a.rs",
                "mod deep; pub(crate) use deep::Deep; pub struct A(Deep);",
            ),
            ("a/deep.rs", "use super::A; pub struct Deep;"),
        ]);
    }

    #[test]
    fn a_name_counts_as_the_file_that_defines_it_through_re_exports_and_globs() {
        assert_cycle(&[
            ("lib.rs", "mod a; mod b; pub use self::a::*;"),
            ("a.rs", "mod deep; pub use deep::Deep as Renamed;"),
            (
                "a/deep.rs",
                "use crate::b; pub struct Deep; fn f() { b::help() }",
            ),
            ("b.rs", "pub fn help() -> crate::Renamed {}"),
        ]);
    }

    #[test]
    fn paths_in_macros_are_imports_and_comments_are_not() {
        assert_cycle(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub fn f() { println!(\"{}\", crate::b::g()) }"),
            (
                "b.rs",
                "use crate::a; pub fn g() -> u8 { assert!(a::f()); 1 }",
            ),
        ]);
        assert_no_cycle(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "/// See [`crate::b::g`].\npub fn f() {}"),
            ("b.rs", "use crate::a; pub fn g() { a::f() }"),
        ]);
    }

    #[test]
    fn code_for_tests_is_left_out() {
        assert_no_cycle(&[
            (
                "lib.rs",
                "mod a; mod b; #[cfg(all(test, loom))] mod models;",
            ),
            (
                "a.rs",
                "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }",
            ),
            ("b.rs", "use crate::a::A; pub struct B;"),
        ]);
        assert_cycle(&[
            ("lib.rs", "mod a; mod b;"),
            (
                "a.rs",
                "#[cfg(any(test, feature = \"sdk\"))] use crate::b::B; pub struct A;",
            ),
            ("b.rs", "#[cfg(not(test))] use crate::a::A; pub struct B;"),
        ]);
    }
}
