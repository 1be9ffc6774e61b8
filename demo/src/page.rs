//! The report as a page that needs nothing but itself.
//!
//! Every number is taken from the JSON, and its element says from where: `data-json` is the pointer, `data-digits` how many
//! decimals are shown.

use crate::report::Report;
use crate::trace::Row;
use anyhow::Context;
use serde_json::Value;
use std::fmt::Write;

const STYLE: &str = include_str!("page.css");

pub(crate) fn render(report: &Report) -> anyhow::Result<String> {
    let mut page = Page {
        json: serde_json::to_value(report)?,
        html: String::new(),
    };
    page.head(report)?;
    page.comparison(report)?;
    page.table(report)?;
    for (index, trace) in report.traces.iter().enumerate() {
        page.waterfall(index, trace)?;
    }
    page.method(report)?;
    Ok(page.html)
}

struct Page {
    json: Value,
    html: String,
}

impl Page {
    fn text(&mut self, html: &str) {
        self.html.push_str(html);
        self.html.push('\n');
    }

    /// A number of the JSON, as an element that says where it is from.
    fn number(&self, pointer: &str, digits: usize) -> anyhow::Result<String> {
        let value = self
            .json
            .pointer(pointer)
            .and_then(Value::as_f64)
            .with_context(|| format!("the report has no number at {pointer}"))?;
        Ok(format!(
            "<span class=\"n\" data-json=\"{pointer}\" data-digits=\"{digits}\">{value:.digits$}</span>"
        ))
    }

    fn head(&mut self, report: &Report) -> anyhow::Result<()> {
        self.text("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">");
        self.text("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        self.text("<meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"icon\" href=\"data:,\">");
        let _ = writeln!(
            self.html,
            "<title>What tracing costs</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>"
        );
        self.text("<h1>What tracing costs</h1>");
        let _ = writeln!(
            self.html,
            "<p>Three HTTP services answered {} requests on each side, in {} rounds. Their spans went to {}.</p>",
            self.number("/requests", 0)?,
            self.number("/rounds", 0)?,
            escape(&report.destination),
        );
        if report.cpu_ratio.is_some() {
            let ratio = self.number("/cpu_ratio", 1)?;
            let _ = writeln!(
                self.html,
                "<p class=\"lead\">Tracing with the stock SDK takes {ratio} times the processor time.</p>"
            );
        }
        Ok(())
    }

    fn comparison(&mut self, report: &Report) -> anyhow::Result<()> {
        let most = |figure: &dyn Fn(usize) -> f64| {
            (0..report.sides.len())
                .map(figure)
                .fold(f64::MIN_POSITIVE, f64::max)
        };
        let allocations = most(&|side| report.sides[side].allocations_per_span.total);
        let cpu = most(&|side| report.sides[side].cpu_ns_per_span.median);

        self.text("<section>\n<h2>Heap allocations for each span</h2>");
        for (index, side) in report.sides.iter().enumerate() {
            let split = &side.allocations_per_span;
            let parts = [
                ("recording", split.recording),
                ("headers", split.headers),
                ("exporting", split.exporting),
            ];
            let total = self.number(&format!("/sides/{index}/allocations_per_span/total"), 2)?;
            self.bar(side.name, &parts, allocations, &total);
        }
        self.text("<p class=\"key\"><i class=\"recording\"></i>recording <i class=\"headers\"></i>W3C headers <i class=\"exporting\"></i>exporting</p>\n</section>");

        self.text("<section>\n<h2>Processor time for each span</h2>");
        for (index, side) in report.sides.iter().enumerate() {
            let median = self.number(&format!("/sides/{index}/cpu_ns_per_span/median"), 0)?;
            let parts = [("cpu", side.cpu_ns_per_span.median)];
            self.bar(side.name, &parts, cpu, &format!("{median} ns"));
        }
        self.text("</section>");
        Ok(())
    }

    /// Parts of a sum, one behind the other, as long as they are of `most`.
    fn bar(&mut self, name: &str, parts: &[(&str, f64)], most: f64, total: &str) {
        let _ = write!(
            self.html,
            "<div class=\"bar\"><span>{}</span><svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            escape(name)
        );
        let mut from = 0.0;
        for (class, value) in parts {
            let width = (value / most * 1_000.0).max(0.0);
            let _ = write!(
                self.html,
                "<rect class=\"{class}\" x=\"{from:.1}\" y=\"0\" width=\"{width:.1}\" height=\"10\"/>"
            );
            from += width;
        }
        let _ = writeln!(self.html, "</svg><b>{total}</b></div>");
    }

    fn table(&mut self, report: &Report) -> anyhow::Result<()> {
        const LINES: [(&str, &str, usize); 11] = [
            ("spans", "spans", 0),
            ("delivered", "delivered", 0),
            ("dropped", "dropped", 0),
            ("allocations a span", "allocations_per_span/total", 2),
            ("– recording", "allocations_per_span/recording", 2),
            ("– headers", "allocations_per_span/headers", 2),
            ("– exporting", "allocations_per_span/exporting", 2),
            ("bytes a span", "bytes_per_span", 0),
            ("CPU a span, median, ns", "cpu_ns_per_span/median", 0),
            ("– lower quartile", "cpu_ns_per_span/low", 0),
            ("– upper quartile", "cpu_ns_per_span/high", 0),
        ];
        self.text("<section>\n<h2>Figures</h2>\n<table>\n<thead><tr><th></th>");
        for side in &report.sides {
            let _ = writeln!(self.html, "<th>{}</th>", escape(side.name));
        }
        self.text("</tr></thead>\n<tbody>");
        for (label, field, digits) in LINES {
            let _ = write!(self.html, "<tr><td>{label}</td>");
            for index in 0..report.sides.len() {
                let number = self.number(&format!("/sides/{index}/{field}"), digits)?;
                let _ = write!(self.html, "<td>{number}</td>");
            }
            self.text("</tr>");
        }
        self.text("</tbody>\n</table>");
        for side in &report.sides {
            for (cause, spans) in &side.dropped_by_cause {
                let (name, cause) = (escape(side.name), escape(cause));
                let _ = writeln!(self.html, "<p>{name}: {spans} spans dropped: {cause}</p>");
            }
        }
        let _ = writeln!(
            self.html,
            "<p>A request without tracing takes {} ns of processor time and {} allocations.</p>\n</section>",
            self.number("/plain/cpu_ns_per_request/median", 0)?,
            self.number("/plain/allocations_per_request", 2)?,
        );
        Ok(())
    }

    fn waterfall(&mut self, index: usize, trace: &[Row]) -> anyhow::Result<()> {
        let Some(root) = trace.first() else {
            return Ok(());
        };
        let title = match root.error {
            None => "A request",
            Some(_) => "A request that failed",
        };
        let end = trace
            .iter()
            .map(|row| row.start_us + row.duration_us)
            .fold(1.0, f64::max);
        let _ = writeln!(self.html, "<section>\n<h2>{title}</h2>");
        for (number, row) in trace.iter().enumerate() {
            let at = row.start_us / end * 1_000.0;
            let width = (row.duration_us / end * 1_000.0).max(3.0);
            let class = if row.error.is_some() {
                "error"
            } else {
                &*row.service
            };
            let duration = self.number(&format!("/traces/{index}/{number}/duration_us"), 1)?;
            let _ = writeln!(
                self.html,
                "<details class=\"span\"><summary><span class=\"what\" style=\"padding-left:{}em\">{} <small>{}</small></span>\
                 <svg viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">\
                 <rect class=\"{}\" x=\"{:.1}\" y=\"0\" width=\"{width:.1}\" height=\"10\"/></svg>\
                 <b>{duration} µs</b></summary>",
                row.depth as f64 * 0.8,
                escape(&row.name),
                escape(&row.service),
                escape(class),
                at.min(1_000.0 - width),
            );
            self.text("<dl>");
            if let Some(error) = &row.error {
                let _ = writeln!(self.html, "<dt>error</dt><dd>{}</dd>", escape(error));
            }
            for (key, value) in &row.attributes {
                let _ = writeln!(
                    self.html,
                    "<dt>{}</dt><dd>{}</dd>",
                    escape(key),
                    escape(value)
                );
            }
            self.text("</dl></details>");
        }
        self.text("<p class=\"key\"><i class=\"storefront\"></i>storefront <i class=\"catalog\"></i>catalog <i class=\"pricing\"></i>pricing <i class=\"error\"></i>failed</p>\n</section>");
        Ok(())
    }

    fn method(&mut self, report: &Report) -> anyhow::Result<()> {
        let _ = writeln!(
            self.html,
            "<section>\n<h2>How this is measured</h2>\n<p>{}</p>\n</section>\n</main>\n</body>\n</html>",
            escape(report.method)
        );
        Ok(())
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::report::tests::sample;

    #[test]
    fn what_a_span_says_is_text_on_the_page() -> anyhow::Result<()> {
        let page = render(&sample())?;
        assert!(page.contains("a &quot;lamp&quot; &amp; more"));
        assert!(page.contains("it &lt;failed&gt;"));
        assert!(!page.contains("<failed>") && !page.contains("<queue>"));
        Ok(())
    }

    #[test]
    fn the_page_needs_nothing_but_itself() -> anyhow::Result<()> {
        let page = render(&sample())?;
        for reference in ["http:", "https:", "src=", "@import", "url(", "<script"] {
            assert!(!page.contains(reference), "{reference}");
        }
        Ok(())
    }
}
