//! The edges between the crates: a leaf depends on core alone.

use anyhow::Context;
use cargo_metadata::MetadataCommand;

/// Who may depend on whom inside the workspace, dev-dependencies included. A crate that is not listed may not depend on
/// any; what is not published is not held to it.
const ALLOWED: [(&str, &[&str]); 10] = [
    ("zerospan-core", &[]),
    ("zerospan-arena", &["zerospan-core"]),
    ("zerospan-pool", &["zerospan-core"]),
    ("zerospan-attributes", &["zerospan-core"]),
    ("zerospan-stack", &["zerospan-core"]),
    ("zerospan-otlp", &["zerospan-core"]),
    (
        "zerospan-export",
        &["zerospan-core", "zerospan-pool", "zerospan-otlp"],
    ),
    (
        "zerospan-trace",
        &[
            "zerospan-core",
            "zerospan-pool",
            "zerospan-attributes",
            "zerospan-stack",
            "zerospan-otlp",
            "zerospan-export",
        ],
    ),
    (
        "zerospan-sdk",
        &[
            "zerospan-core",
            "zerospan-pool",
            "zerospan-otlp",
            "zerospan-export",
        ],
    ),
    (
        "zerospan",
        &[
            "zerospan-core",
            "zerospan-arena",
            "zerospan-pool",
            "zerospan-attributes",
            "zerospan-stack",
            "zerospan-otlp",
            "zerospan-export",
            "zerospan-trace",
            "zerospan-sdk",
        ],
    ),
];

/// Nothing but these depends on the umbrella, and nothing depends on these.
const UNPUBLISHED: [&str; 4] = ["benches", "demo", "replay", "xtask"];

pub(crate) fn check() -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .current_dir(crate::cargo::root())
        .no_deps()
        .exec()
        .context("`cargo metadata` failed")?;
    let edges = metadata.packages.iter().flat_map(|package| {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.path.is_some())
            .map(|dependency| (package.name.as_str(), dependency.name.as_str()))
    });
    Ok(edges.filter_map(|(from, to)| judge(from, to)).collect())
}

/// What is wrong with the edge, if anything.
fn judge(from: &str, to: &str) -> Option<String> {
    // A crate's tests may turn its own features on.
    if from == to || (UNPUBLISHED.contains(&from) && !UNPUBLISHED.contains(&to)) {
        return None;
    }
    let allowed = ALLOWED
        .iter()
        .find(|(name, _)| *name == from)
        .map_or(&[][..], |(_, allowed)| allowed);
    (!allowed.contains(&to)).then(|| {
        let remedy = match allowed {
            [] => "no crate of the workspace".to_owned(),
            _ => allowed.join(", "),
        };
        format!("forbidden edge: {from} -> {to}: {from} may depend on {remedy} (xtask/src/tidy/edges.rs)")
    })
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn a_leaf_depends_on_core_alone() {
        assert_eq!(judge("zerospan-arena", "zerospan-core"), None);
        assert_eq!(judge("zerospan-arena", "zerospan-arena"), None);
        let finding = judge("zerospan-arena", "zerospan-pool").unwrap_or_default();
        assert!(
            finding.contains("zerospan-arena -> zerospan-pool"),
            "{finding}"
        );
    }

    #[test]
    fn nothing_but_unpublished_packages_depends_on_the_umbrella() {
        assert_eq!(judge("benches", "zerospan"), None);
        assert!(judge("zerospan-sdk", "zerospan").is_some());
        assert!(judge("zerospan-core", "benches").is_some());
        assert!(judge("benches", "xtask").is_some());
    }

    #[test]
    fn a_crate_that_is_not_listed_has_no_edges() {
        assert!(judge("zerospan-other", "zerospan-core").is_some());
    }
}
