//! Writes the report as `report.json` and as a page without external resources.

use crate::report::{Report, TABLE};
use crate::trace;
use anyhow::Context;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value, context};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes `report.json` and `report.html`, and returns the path of the latter.
pub(crate) fn write(report: &Report, folder: &Path) -> anyhow::Result<PathBuf> {
    let write = || {
        fs::create_dir_all(folder)?;
        let json = serde_json::to_string_pretty(report)?;
        fs::write(folder.join("report.json"), json + "\n")?;
        let path = folder.join("report.html");
        fs::write(&path, render(report)?)?;
        anyhow::Ok(path)
    };
    write().with_context(|| {
        format!(
            "cannot write the report into {}: name another folder with --out",
            folder.display()
        )
    })
}

fn render(report: &Report) -> anyhow::Result<String> {
    let json = serde_json::to_value(report)?;
    let mut environment = Environment::new();
    environment.add_template("page.css", include_str!("page.css"))?;
    environment.add_template("page.html", include_str!("page.html"))?;
    // Each number is an element with its place in the JSON, for the tests.
    environment.add_function("number", move |pointer: String, digits: usize| {
        let value = json.pointer(&pointer).and_then(serde_json::Value::as_f64);
        let value = value.ok_or_else(|| {
            let message = format!("the report has no number at {pointer}");
            Error::new(ErrorKind::InvalidOperation, message)
        })?;
        Ok::<_, Error>(Value::from_safe_string(format!(
            "<span class=\"n\" data-json=\"{pointer}\" data-digits=\"{digits}\">{value:.digits$}</span>"
        )))
    });
    let ends: Vec<f64> = report
        .traces
        .iter()
        .map(|trace| trace::end_us(trace))
        .collect();
    environment.add_function("end_us", move |index: usize| ends.get(index).copied());
    let page = environment.get_template("page.html")?;
    Ok(page.render(context! {
        table => Value::from(Serde(TABLE)),
        services => report.services(),
        official => report.official(),
        ..Value::from(Serde(report))
    })?)
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::report::tests::sample;

    #[test]
    fn the_content_of_spans_is_escaped() -> anyhow::Result<()> {
        let page = render(&sample())?;
        assert!(page.contains("a &quot;lamp&quot; &amp; more"));
        assert!(page.contains("it &lt;failed&gt;"));
        assert!(!page.contains("<failed>") && !page.contains("<queue>"));
        Ok(())
    }

    #[test]
    fn names_of_code_in_the_method_are_set_as_code() -> anyhow::Result<()> {
        let mut report = sample();
        report.method = "with `One<Two>` and `three`, not four".to_owned();
        let page = render(&report)?;
        assert!(
            page.contains(
                "<p>with <code>One&lt;Two&gt;</code> and <code>three</code>, not four</p>"
            )
        );
        Ok(())
    }

    #[test]
    fn the_page_has_no_external_resources() -> anyhow::Result<()> {
        let page = render(&sample())?;
        for reference in ["http:", "https:", "src=", "@import", "url(", "<script"] {
            assert!(!page.contains(reference), "{reference}");
        }
        Ok(())
    }
}
