//! The report in a terminal of any width.

use crate::figures::Figures;
use crate::report::Report;
use crate::trace::Row;
use std::fmt::Write;
use std::io::IsTerminal;

/// What the output goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Screen {
    /// Characters in a line.
    pub(crate) width: usize,
    pub(crate) colours: bool,
}

impl Screen {
    /// A terminal as wide as it is. Where the output is piped, `COLUMNS` wide or 80, without colours.
    pub(crate) fn of_stdout() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let variable = |name| std::env::var(name).unwrap_or_default();
        let width = console::Term::stdout()
            .size_checked()
            .map(|(_, columns)| usize::from(columns))
            .or_else(|| variable("COLUMNS").parse().ok())
            .unwrap_or(80);
        Self {
            width: width.clamp(40, 120),
            colours: is_terminal && variable("NO_COLOR").is_empty() && variable("TERM") != "dumb",
        }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colours && !text.trim().is_empty() {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

const BOLD: &str = "1";
const FAINT: &str = "2";
const RED: &str = "31";
/// Of the services, in the order in which they appear.
const COLOURS: [&str; 3] = ["36", "33", "35"];

pub(crate) fn render(report: &Report, screen: Screen) -> String {
    let mut out = String::new();
    if let Some(trace) = report.traces.first() {
        waterfall(&mut out, trace, screen);
    }
    table(&mut out, report, screen);
    let ratio = match (report.cpu_ratio, &*report.sides) {
        (Some(ratio), _) => {
            format!("Tracing with the stock SDK takes {ratio} times the processor time. ")
        }
        (None, [_, _]) => {
            "The sides' processor times scatter too much here for a ratio: give more --requests. "
                .to_owned()
        }
        (None, _) => String::new(),
    };
    out.push('\n');
    wrap(&mut out, &format!("{ratio}{}", report.method), screen);
    out
}

fn waterfall(out: &mut String, trace: &[Row], screen: Screen) {
    let Some(root) = trace.first() else { return };
    let services = services(trace);
    let wide = screen.width >= 72;
    let indent = if wide { 2 } else { 1 };
    let service_width = if wide { 12 } else { 0 };
    let name_width = if wide { 28 } else { 18 };
    let time_width = 9;
    let bar_width = screen.width - service_width - name_width - time_width - 1;
    let end = trace
        .iter()
        .map(|row| row.start_us + row.duration_us)
        .fold(root.duration_us, f64::max)
        .max(1.0);

    let title = format!("One trace: {}, {} spans", root.name, trace.len());
    let _ = writeln!(
        out,
        "{}\n",
        screen.paint(BOLD, fit(&title, screen.width).trim_end())
    );
    for row in trace {
        let service = services.iter().position(|name| *name == row.service);
        let colour = match &row.error {
            Some(_) => RED,
            None => COLOURS[service.unwrap_or_default() % COLOURS.len()],
        };
        let name = format!("{}{}", " ".repeat(row.depth * indent), row.name);
        let column = |micros: f64| (micros / end * bar_width as f64) as usize;
        let from = column(row.start_us).min(bar_width - 1);
        let to = column(row.start_us + row.duration_us).clamp(from + 1, bar_width);
        let _ = writeln!(
            out,
            "{}{} {}{}{:>time_width$}",
            screen.paint(FAINT, &fit(&row.service, service_width)),
            fit(&name, name_width),
            screen.paint(
                colour,
                &format!("{}{}", " ".repeat(from), "█".repeat(to - from))
            ),
            " ".repeat(bar_width - to),
            micros(row.duration_us),
        );
    }
    if !wide {
        let _ = writeln!(out);
        for (service, colour) in services.iter().zip(COLOURS) {
            let _ = writeln!(out, "{} {service}", screen.paint(colour, "█"));
        }
    }
    out.push('\n');
}

fn services(trace: &[Row]) -> Vec<&str> {
    let mut services: Vec<&str> = Vec::new();
    for row in trace {
        if !services.contains(&&*row.service) {
            services.push(&row.service);
        }
    }
    services
}

fn table(out: &mut String, report: &Report, screen: Screen) {
    let mut line = |label: &str, figure: &dyn Fn(&Figures) -> String| {
        let _ = write!(out, "{}", fit(label, 20));
        for side in &report.sides {
            let _ = write!(out, "{:>10}", figure(side));
        }
        out.push('\n');
    };
    line("", &|side| side.name.to_owned());
    line("spans", &|side| side.spans.to_string());
    line("  delivered", &|side| side.delivered.to_string());
    line("  dropped", &|side| side.dropped.to_string());
    line("allocations a span", &|side| {
        format!("{:.2}", side.allocations_per_span.total)
    });
    line("  recording", &|side| {
        format!("{:.2}", side.allocations_per_span.recording)
    });
    line("  headers", &|side| {
        format!("{:.2}", side.allocations_per_span.headers)
    });
    line("  exporting", &|side| {
        format!("{:.2}", side.allocations_per_span.exporting)
    });
    line("bytes a span", &|side| {
        format!("{:.0}", side.bytes_per_span)
    });
    line("CPU ns a span", &|side| {
        format!("{:.0}", side.cpu_ns_per_span.median)
    });
    line("  lower quartile", &|side| {
        format!("{:.0}", side.cpu_ns_per_span.low)
    });
    line("  upper quartile", &|side| {
        format!("{:.0}", side.cpu_ns_per_span.high)
    });
    for side in &report.sides {
        for (cause, spans) in &side.dropped_by_cause {
            wrap(
                out,
                &format!("{}: {spans} spans dropped: {cause}", side.name),
                screen,
            );
        }
    }
    let plain = &report.plain;
    let summary = format!(
        "{} requests a side in {} rounds to {}; a request without tracing takes {:.0} ns of processor time and {:.2} \
         allocations.",
        report.requests,
        report.rounds,
        report.destination,
        plain.cpu_ns_per_request.median,
        plain.allocations_per_request,
    );
    out.push('\n');
    wrap(out, &summary, screen);
}

/// Exactly `width` characters: cut, or filled up.
fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:width$}");
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    if width == 0 {
        kept
    } else {
        format!("{kept}…")
    }
}

fn micros(micros: f64) -> String {
    if micros < 100.0 {
        format!("{micros:.1} µs")
    } else if micros < 10_000.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.1} ms", micros / 1_000.0)
    }
}

/// Breaks lines between words. A word that is longer than a line has a line of its own.
fn wrap(out: &mut String, text: &str, screen: Screen) {
    let mut used = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > screen.width {
            out.push('\n');
            used = 0;
        } else if used > 0 {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        used += length;
    }
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
            );
            for line in text.lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            assert!(text.contains("elsewhere"), "{text}");
        }
    }

    #[test]
    fn colours_are_shown_only_where_they_are_wanted() {
        let text = |colours| render(&sample(), Screen { width: 80, colours });
        assert!(!text(false).contains('\x1b'));
        assert!(text(true).contains('\x1b'));
    }

    #[test]
    fn a_text_that_does_not_fit_is_cut_and_shows_it() {
        assert_eq!(fit("storefront", 5), "stor…");
        assert_eq!(fit("shop", 5), "shop ");
    }
}
