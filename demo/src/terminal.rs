//! Renders the report for a terminal of any width.

use crate::report::{Report, TABLE};
use crate::trace::{self, Row};
use console::{Alignment, Color, Style, pad_str};
use serde_json::Value;
use std::fmt::Write;
use std::io::IsTerminal;

/// The properties of the output.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Characters in a line.
    pub(crate) width: usize,
    pub(crate) colours: bool,
}

impl Screen {
    /// Detects the terminal. If the output is piped, it is `COLUMNS` or 80 characters wide, without colours.
    pub(crate) fn detect() -> Self {
        let variable = |name| std::env::var(name).unwrap_or_default();
        let width = console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| usize::from(columns))
            .or_else(|| variable("COLUMNS").parse().ok())
            .unwrap_or(80);
        Self {
            width: width.clamp(40, 120),
            colours: std::io::stdout().is_terminal()
                && variable("NO_COLOR").is_empty()
                && variable("TERM") != "dumb",
        }
    }

    fn style(self) -> Style {
        Style::new().force_styling(self.colours)
    }
}

/// The colours of the services, in the order of their first spans.
const COLOURS: [Color; 3] = [Color::Cyan, Color::Yellow, Color::Magenta];

pub(crate) fn render(report: &Report, screen: Screen) -> anyhow::Result<String> {
    let mut out = String::new();
    if let Some(trace) = report.traces.first() {
        waterfall(&mut out, trace, screen)?;
    }
    table(&mut out, &serde_json::to_value(report)?)?;
    for side in &report.sides {
        for (cause, spans) in &side.dropped_by_cause {
            paragraph(
                &mut out,
                screen,
                &format!("{}: {spans} spans dropped: {cause}", side.name),
            );
        }
    }
    let baseline = &report.baseline;
    let summary = format!(
        "Services {} took {} requests a side in {} rounds, and exported to {}; a request without tracing takes {:.0} ns of \
         processor time and {:.2} allocations.",
        report.services().trim_end_matches(','),
        report.requests,
        report.rounds,
        report.destination,
        baseline.cpu_ns_per_request.median,
        baseline.allocations_per_request,
    );
    let ratio = match (report.cpu_ratio, report.sides.len()) {
        (Some(ratio), _) => {
            let official = report.official();
            format!("Tracing with {official} takes {ratio} times the processor time. ")
        }
        (None, 2) => {
            "Processor times scatter too much for a ratio: give more --requests. ".to_owned()
        }
        (None, _) => String::new(),
    };
    for text in [summary, ratio + &report.method] {
        out.push('\n');
        paragraph(&mut out, screen, &text);
    }
    Ok(out)
}

/// Draws each span as a line: service (if there is room), name, bar, duration; and below it each of its log records, with its time
/// since the start of the trace.
fn waterfall(out: &mut String, trace: &[Row], screen: Screen) -> anyhow::Result<()> {
    const DURATION_WIDTH: usize = 9;
    let (indent, service_width, name_width) = if screen.width >= 72 {
        (2, 12, 28)
    } else {
        (1, 0, 18)
    };
    let bar_width = screen.width - service_width - name_width - DURATION_WIDTH - 1;
    let title = format!("One trace: {}, {} spans", trace[0].name, trace.len());
    writeln!(
        out,
        "{}\n",
        screen
            .style()
            .bold()
            .apply_to(fit(&title, screen.width).trim_end())
    )?;

    let end = trace::end_us(trace);
    let column = |micros: f64| (micros / end * bar_width as f64) as usize;
    let mut services: Vec<&str> = Vec::new();
    for row in trace {
        if !services.contains(&&*row.service) {
            services.push(&row.service);
        }
        let service = services
            .iter()
            .position(|name| *name == row.service)
            .unwrap_or_default();
        let colour = match row.error {
            Some(_) => Color::Red,
            None => COLOURS[service % COLOURS.len()],
        };
        let from = column(row.start_us).min(bar_width - 1);
        let to = column(row.start_us + row.duration_us).clamp(from + 1, bar_width);
        writeln!(
            out,
            "{}{} {:from$}{}{:rest$}{:>DURATION_WIDTH$}",
            screen
                .style()
                .dim()
                .apply_to(fit(&row.service, service_width)),
            fit(
                &format!("{:1$}{2}", "", row.depth * indent, row.name),
                name_width
            ),
            "",
            screen.style().fg(colour).apply_to("█".repeat(to - from)),
            "",
            duration(row.duration_us),
            rest = bar_width - to,
        )?;
        for log in &row.logs {
            let mut text = format!(
                "{:1$}· {2} {3}",
                "",
                row.depth * indent,
                log.severity,
                log.text
            );
            for (name, value) in &log.attributes {
                write!(text, ", {name} {value}")?;
            }
            let text = fit(&text.replace('\n', " "), name_width + bar_width);
            writeln!(
                out,
                "{:service_width$}{} {:>DURATION_WIDTH$}",
                "",
                screen.style().dim().apply_to(text),
                duration(log.time_us),
            )?;
        }
    }
    out.push('\n');
    Ok(())
}

fn table(out: &mut String, report: &Value) -> anyhow::Result<()> {
    let sides = report["sides"].as_array().map_or(&[][..], Vec::as_slice);
    write!(out, "{:20}", "")?;
    for side in sides {
        write!(out, "{:>10}", side["name"].as_str().unwrap_or_default())?;
    }
    for (label, field, digits) in TABLE {
        write!(out, "\n{label:20}")?;
        for side in sides {
            let figure = side.pointer(&format!("/{field}")).and_then(Value::as_f64);
            write!(out, "{:>10.digits$}", figure.unwrap_or(f64::NAN))?;
        }
    }
    out.push('\n');
    Ok(())
}

/// Cuts or pads the text to exactly `width` characters.
fn fit(text: &str, width: usize) -> String {
    let tail = if width == 0 { "" } else { "…" };
    pad_str(text, width, Alignment::Left, Some(tail)).into_owned()
}

fn duration(micros: f64) -> String {
    match micros {
        ..100.0 => format!("{micros:.1} µs"),
        ..10_000.0 => format!("{micros:.0} µs"),
        _ => format!("{:.1} ms", micros / 1_000.0),
    }
}

fn paragraph(out: &mut String, screen: Screen, text: &str) {
    out.push_str(&textwrap::fill(text, screen.width));
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{Screen, fit, render};
    use crate::report::tests::sample;

    #[test]
    fn no_line_is_wider_than_the_screen() {
        for width in [40, 41, 71, 72, 80, 120] {
            let text = render(
                &sample(),
                Screen {
                    width,
                    colours: false,
                },
            )
            .unwrap();
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(text.contains("elsewhere"), "{text}");
        }
    }

    #[test]
    fn colours_are_only_shown_if_the_screen_has_them() {
        let text = |colours| render(&sample(), Screen { width: 80, colours }).unwrap();
        assert!(!text(false).contains('\x1b'));
        assert!(text(true).contains('\x1b'));
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_with_an_ellipsis() {
        assert_eq!(fit("storefront", 5), "stor…");
        assert_eq!(fit("shop", 5), "shop ");
    }
}
