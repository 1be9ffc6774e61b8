//! Checks that the operators' page is backed and complete.
//!
//! Each statement has a footnote, and each footnote names a test that exists. The page has a row for each event that is logged,
//! with its level, and names each cause of a drop and each count.

use super::file::File;
use super::functions::{Functions, quoted, tests};
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/operating.md";

/// Files whose public fields are counts.
const COUNTS: [&str; 4] = [
    "crates/zerospan-export/src/base/stats.rs",
    "crates/zerospan-logs/src/provider/stats.rs",
    "crates/zerospan-trace/src/provider/stats.rs",
    "crates/zerospan-tracing/src/state/stats.rs",
];

pub(super) fn check(files: &[File]) -> Vec<String> {
    let Some(page) = files.iter().find(|file| file.path.ends_with(PAGE)) else {
        return vec![format!("{PAGE} is missing")];
    };
    let page = Page::parse(&page.text);
    let mut findings = unbacked(&page, &Functions::of(files));
    findings.extend(missing_events(&page, files));
    findings.extend(missing_counts(&page, files));
    findings
}

/// The page in parts.
#[derive(Default)]
struct Page<'a> {
    /// Paragraphs, items of lists and rows of tables, each with the number of its first line.
    statements: Vec<(usize, String)>,
    /// The text of each footnote by its label.
    footnotes: BTreeMap<&'a str, String>,
}

impl<'a> Page<'a> {
    fn parse(text: &'a str) -> Self {
        let mut page = Self::default();
        let mut is_code = false;
        let mut footnote = None;
        // A line continues the one before unless something ends it.
        let mut continues = false;
        for (number, line) in (1..).zip(text.lines()) {
            if line.starts_with("```") {
                is_code = !is_code;
                (continues, footnote) = (false, None);
            } else if is_code {
            } else if line.is_empty() || line.starts_with('#') {
                (continues, footnote) = (false, None);
            } else if let Some((label, text)) = definition(line) {
                page.footnotes.insert(label, text.to_owned());
                footnote = Some(label);
            } else if let Some(text) = footnote.and_then(|label| page.footnotes.get_mut(label)) {
                text.push_str(line);
            } else if line.starts_with('|') {
                page.statements.push((number, line.to_owned()));
                if line.starts_with("|-") {
                    // The line under the head of a table.
                    page.statements.truncate(page.statements.len() - 2);
                }
                continues = false;
            } else if let Some((_, text)) = page.statements.last_mut().filter(|_| continues)
                && !line.starts_with("- ")
            {
                text.push_str(line);
            } else {
                page.statements.push((number, line.to_owned()));
                continues = true;
            }
        }
        page
    }

    fn rows(&self) -> impl Iterator<Item = Vec<&str>> {
        let rows = self.statements.iter();
        rows.filter(|(_, text)| text.starts_with('|'))
            .map(|(_, text)| text.split('|').map(str::trim).skip(1).collect())
    }
}

/// Returns the label and the text of a footnote.
fn definition(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("[^")?.split_once("]: ")
}

/// Returns the labels of the footnotes that a statement refers to.
fn references(statement: &str) -> impl Iterator<Item = &str> {
    let parts = statement.split("[^").skip(1);
    parts.filter_map(|part| Some(part.split_once(']')?.0))
}

fn unbacked(page: &Page<'_>, functions: &Functions<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    let mut unused: BTreeSet<&str> = page.footnotes.keys().copied().collect();
    for (line, statement) in &page.statements {
        if references(statement).next().is_none() {
            findings.push(format!(
                "{PAGE}:{line}: no footnote of this statement names its test"
            ));
        }
        for label in references(statement) {
            unused.remove(label);
            if !page.footnotes.contains_key(label) {
                findings.push(format!("{PAGE}:{line}: there is no footnote [^{label}]"));
            }
        }
    }
    for (label, text) in &page.footnotes {
        if tests(text).next().is_none() {
            findings.push(format!("{PAGE}: the footnote [^{label}] names no test"));
        }
        for name in functions.missing(text) {
            findings.push(format!("{PAGE}: no test is called `{name}`"));
        }
    }
    let unused = unused.into_iter();
    findings.extend(unused.map(|label| format!("{PAGE}: nothing refers to [^{label}]")));
    findings
}

/// Returns a finding for each event that has no row with its level, and for each row of an event that is not logged.
fn missing_events(page: &Page<'_>, files: &[File]) -> Vec<String> {
    let sources = files.iter().filter(|file| is_source(file));
    let code: Vec<String> = sources.map(|file| without_comments(&file.text)).collect();
    let logged: BTreeSet<(&str, &str)> = code.iter().flat_map(|text| events(text)).collect();
    let is_event = |name: &&str| name.starts_with(|c: char| c.is_ascii_uppercase());
    let listed: BTreeSet<(&str, &str)> = page
        .rows()
        .filter(|row| ["debug", "info", "warn", "error"].contains(&row[1]))
        .flat_map(|row| {
            quoted(row[0])
                .filter(is_event)
                .map(move |name| (name, row[1]))
        })
        .collect();
    let difference = |one: &BTreeSet<(&str, &str)>, other: &BTreeSet<(&str, &str)>, what: &str| {
        let only = one.difference(other);
        only.map(|(name, level)| format!("{PAGE}: {what} `{name}` at level {level}"))
            .collect::<Vec<_>>()
    };
    let mut findings = difference(&logged, &listed, "no row lists the event");
    findings.extend(difference(&listed, &logged, "nothing logs the event"));
    findings
}

fn is_source(file: &File) -> bool {
    file.path.starts_with("crates") && file.path.components().any(|part| part.as_os_str() == "src")
}

fn without_comments(text: &str) -> String {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

/// Returns the names and levels of the events that a file logs.
fn events(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split("tracing::").skip(1).filter_map(|call| {
        let (level, rest) = call.split_once("!(")?;
        let name = rest.trim_start().strip_prefix("name: \"")?;
        Some((name.split_once('"')?.0, level))
    })
}

/// Returns a finding for each count, and for each cause of a drop, that the page does not name.
fn missing_counts(page: &Page<'_>, files: &[File]) -> Vec<String> {
    let named: BTreeSet<&str> = page
        .statements
        .iter()
        .flat_map(|(_, text)| quoted(text))
        .collect();
    let mut findings = Vec::new();
    for path in COUNTS {
        let Some(file) = files.iter().find(|file| file.path.ends_with(path)) else {
            findings.push(format!("{path} is missing: see {PAGE}"));
            continue;
        };
        let fields = file.text.lines().filter_map(|line| {
            let (name, _) = line.strip_prefix("    pub ")?.split_once(": ")?;
            (!name.contains(' ')).then_some(name)
        });
        let causes = file.text.lines().filter_map(|line| {
            let (_, name) = line.trim().strip_suffix("\",")?.split_once(" => \"")?;
            (!name.contains(' ')).then_some(name)
        });
        let missing = fields.chain(causes).filter(|name| !named.contains(name));
        findings
            .extend(missing.map(|name| format!("{PAGE}: `{name}` is not explained: see {path}")));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::{COUNTS, File, PAGE, check};

    const BACKED: &str = "\
# Operating

Spans are counted.[^count] An example,
over two lines:

```rust
let text = \"code states nothing\";
```

| event | level | content |
|---|---|---|
| `SpansLost`, `RecordsLost` | warn | a number[^count] |

- `open`: spans in progress[^count]
- `queue_full`: too many,
  or too large[^large]

[^count]: `zerospan-export` `every_span_is_counted`.
[^large]: `every_span_is_counted`,
    `it::a_large_span_is_counted`.
";

    fn findings(page: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File {
            path: path.into(),
            text: text.to_owned(),
        };
        let mut files = vec![
            file(PAGE, page),
            file(
                "crates/a/tests/it.rs",
                "fn every_span_is_counted() {} fn a_large_span_is_counted() {}",
            ),
            file(
                "crates/a/src/lib.rs",
                "tracing::warn!(name: \"SpansLost\", 1);\n/// tracing::info!(name: \"Example\");\ntracing::warn!(\n    name: \"RecordsLost\");",
            ),
        ];
        let counts = "    pub open: u64,\n    pub fn by(&self, cause: Cause) {}\n            Self::QueueFull => \"queue_full\",\n";
        files.extend(COUNTS.map(|path| file(path, counts)));
        check(&files)
    }

    #[track_caller]
    fn assert_finds(from: &str, to: &str, expected: &str) {
        let findings = findings(&BACKED.replace(from, to));
        assert_eq!(findings.len(), 1, "{findings:#?}");
        assert!(findings[0].contains(expected), "{findings:#?}");
    }

    #[test]
    fn a_page_whose_statements_have_tests_is_tidy() {
        assert_eq!(findings(BACKED), Vec::<String>::new());
    }

    #[test]
    fn a_statement_without_a_footnote_is_found() {
        assert_finds("counted.[^count]", "counted.", ":3: no footnote");
        assert_finds("number[^count]", "number", ":12: no footnote");
        assert_finds("progress[^count]", "progress", ":14: no footnote");
    }

    #[test]
    fn a_footnote_without_a_test_is_found() {
        assert_finds(
            "`zerospan-export` `every_span_is_counted`",
            "trust me",
            "names no test",
        );
        assert_finds(
            "it::a_large_span_is",
            "it::a_huge_span_is",
            "`a_huge_span_is_counted`",
        );
        assert_finds(
            "or too large[^large]",
            "or not[^count]",
            "nothing refers to [^large]",
        );
        assert_finds("too many,", "too many[^many],", "no footnote [^many]");
    }

    #[test]
    fn an_event_without_a_row_of_its_level_is_found() {
        assert_finds(
            ", `RecordsLost`",
            "",
            "no row lists the event `RecordsLost` at level warn",
        );
        assert_finds(
            "`SpansLost`",
            "`SpansLost`, `Other`",
            "nothing logs the event `Other`",
        );
        assert_eq!(findings(&BACKED.replace("| warn |", "| error |")).len(), 4);
    }

    #[test]
    fn a_count_or_cause_that_is_not_explained_is_found() {
        for name in ["`open`", "`queue_full`"] {
            let findings = findings(&BACKED.replace(name, "it"));
            assert_eq!(findings.len(), COUNTS.len(), "{findings:#?}");
        }
    }
}
