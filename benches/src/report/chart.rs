//! Draws the growth: one panel per series, all on the same logarithmic axis of nanoseconds.

use crate::growth::{Growth, Measured, Side};
use std::fmt::Write;

const PANEL: (f64, f64) = (430.0, 270.0);
const COLUMNS: usize = 2;
/// The drawn area within a panel.
const LEFT: f64 = 62.0;
const RIGHT: f64 = 415.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 214.0;

/// Colours after Okabe and Ito, which colour-blind readers can tell apart.
const STYLE: &str = "text{font:12px sans-serif;fill:#24292f}.grid{stroke:#d0d7de}\
    .s0{stroke:#005f9e;fill:#005f9e}.s1{stroke:#007a5a;fill:#007a5a}.s2{stroke:#b84f00;fill:#b84f00}\
    .s3{stroke:#a0447e;fill:#a0447e}.s4{stroke:#75691a;fill:#75691a}\
    text.s0,text.s1,text.s2,text.s3,text.s4{stroke:none}polyline{stroke-width:2}\
    @media(prefers-color-scheme:dark){text{fill:#e6edf3}.grid{stroke:#373e47}\
    .s0{stroke:#56b4e9;fill:#56b4e9}.s1{stroke:#35c99a;fill:#35c99a}.s2{stroke:#f0a030;fill:#f0a030}\
    .s3{stroke:#e08fc0;fill:#e08fc0}.s4{stroke:#d8cc5c;fill:#d8cc5c}}";

pub(super) fn draw(growth: &Growth) -> String {
    let costs = || {
        let points = growth.series.iter().flat_map(|series| &series.points);
        points.flat_map(|point| &point.costs)
    };
    let min = costs()
        .map(|cost| cost.time.lower)
        .fold(f64::INFINITY, f64::min);
    let max = costs().map(|cost| cost.time.upper).fold(1.0, f64::max);
    let axis = Axis::new(min, max);
    let panels = growth.series.iter().map(|series| panel(series, &axis));
    let panels = panels.chain([legend()]).enumerate().map(|(index, panel)| {
        let x = (index % COLUMNS) as f64 * PANEL.0;
        let y = (index / COLUMNS) as f64 * PANEL.1;
        format!("<g transform=\"translate({x},{y})\">\n{panel}</g>\n")
    });
    let rows = (growth.series.len() + 1).div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * PANEL.0, rows as f64 * PANEL.1);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\">\n<style>{STYLE}</style>\n{}</svg>\n",
        panels.collect::<String>()
    )
}

/// The axis of nanoseconds.
struct Axis {
    /// Common logarithms of the ends.
    ends: (f64, f64),
}

impl Axis {
    fn new(min: f64, max: f64) -> Self {
        Self {
            ends: (min.max(1.0).log10(), max.log10()),
        }
    }

    fn y(&self, ns: f64) -> f64 {
        let (low, high) = self.ends;
        BOTTOM - (ns.max(1.0).log10() - low) / (high - low).max(f64::MIN_POSITIVE) * (BOTTOM - TOP)
    }

    /// Returns 1, 2 and 5 times each power of ten within the axis.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, high) = self.ends;
        (low.floor() as i32..=high.ceil() as i32)
            .flat_map(|power| [1.0, 2.0, 5.0].map(|factor| factor * 10_f64.powi(power)))
            .filter(move |tick| (low..=high).contains(&tick.log10()))
    }
}

fn panel(series: &Measured, axis: &Axis) -> String {
    let mut svg = String::new();
    // Writing to a string does not fail.
    for tick in axis.ticks() {
        let y = axis.y(tick);
        let _ = writeln!(
            svg,
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
            LEFT - 6.0,
            y + 4.0,
            short(tick as u64)
        );
    }
    let step = (RIGHT - LEFT - 20.0) / (series.points.len().max(2) - 1) as f64;
    let x = |index: usize| LEFT + 10.0 + index as f64 * step;
    for (index, point) in series.points.iter().enumerate() {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
            x(index),
            BOTTOM + 18.0,
            short(point.at)
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
        f64::midpoint(LEFT, RIGHT),
        BOTTOM + 38.0,
        series.axis
    );
    for (place, side) in series.sides.iter().enumerate() {
        let side = *side as usize;
        let mut line = String::new();
        for (index, point) in series.points.iter().enumerate() {
            let (x, cost) = (x(index), point.costs[place]);
            let _ = write!(line, "{x:.1},{:.1} ", axis.y(cost.time.median));
            let _ = write!(
                svg,
                "<line class=\"s{side}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{:.1}\"/>\
                 <circle class=\"s{side}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"3\"/>",
                axis.y(cost.time.lower),
                axis.y(cost.time.upper),
                axis.y(cost.time.median)
            );
        }
        let _ = writeln!(
            svg,
            "<polyline class=\"s{side}\" style=\"fill:none\" points=\"{}\"/>",
            line.trim()
        );
    }
    svg
}

fn legend() -> String {
    let mut svg = String::new();
    for side in Side::ALL {
        let (name, side) = (side.name(), side as usize);
        let y = 60.0 + side as f64 * 26.0;
        let _ = writeln!(
            svg,
            "<circle class=\"s{side}\" cx=\"{LEFT}\" cy=\"{y}\" r=\"5\"/>\
             <text class=\"s{side}\" x=\"{}\" y=\"{}\">{name}</text>",
            LEFT + 14.0,
            y + 4.0
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{LEFT}\" y=\"202\">CPU ns per span, all threads; medians and quartiles</text>"
    );
    svg
}

/// Shortens thousands to `k`, powers of two to those of 1,024.
fn short(value: u64) -> String {
    match value {
        0..1_000 => value.to_string(),
        _ if value.is_multiple_of(1_024) => format!("{}k", value / 1_024),
        _ => format!("{}k", value / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::{Axis, BOTTOM, TOP, short};

    #[test]
    fn ticks_lie_within_the_axis() {
        let axis = Axis::new(140.0, 2_100.0);
        let ticks: Vec<u64> = axis.ticks().map(|tick| tick.round() as u64).collect();
        assert_eq!(ticks, [200, 500, 1_000, 2_000]);
        assert_eq!((axis.y(140.0), axis.y(2_100.0)), (BOTTOM, TOP));
    }

    #[test]
    fn values_are_short() {
        assert_eq!([128, 1_024, 10_000].map(short), ["128", "1k", "10k"]);
    }
}
