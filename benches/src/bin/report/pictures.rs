//! The pictures: growth as lines, the peers as bars.

use crate::chart::{Axis, Colour, Scale, THEMES, Theme, Ticks, apart};
use crate::figures::{Figures, by_work, name};
use crate::table::{figure, grouped};
use anyhow::anyhow;
use benches::growth::{Cost, Grown, SIDES};
use benches::peers::{Entry, Work};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// A picture, for light and for dark pages.
pub(crate) struct Picture {
    pub(crate) name: String,
    /// What is seen, for those who do not see it.
    told: String,
    /// As [`THEMES`].
    svgs: [String; 2],
}

impl Picture {
    /// The files, with their names.
    pub(crate) fn files(&self) -> [(String, &str); 2] {
        [0, 1].map(|theme| {
            let name = format!("{}-{}.svg", self.name, THEMES[theme].name);
            (name, self.svgs[theme].as_str())
        })
    }

    /// For Markdown: whoever shows it takes the file that suits the page.
    pub(crate) fn linked(&self, folder: &str) -> String {
        let [(light, _), (dark, _)] = self.files();
        format!(
            "<picture>\n<source media=\"(prefers-color-scheme: dark)\" srcset=\"{folder}/{dark}\">\n\
             <img alt=\"{}\" src=\"{folder}/{light}\">\n</picture>\n",
            self.told
        )
    }

    /// For a page that holds its pictures.
    pub(crate) fn inline(&self) -> String {
        let [light, dark] = &self.svgs;
        format!(
            "<figure role=\"img\" aria-label=\"{}\">\n<div class=\"light\">\n{light}</div>\n\
             <div class=\"dark\">\n{dark}</div>\n</figure>\n",
            self.told
        )
    }
}

const SIZE: (u32, u32) = (800, 400);
/// In front of what the labels at the ends of the lines take.
const LABELS: i32 = 190;
const FONT: &str = "sans-serif";
/// plotters divides by 1.24.
const TEXT: f64 = 13.0 * 1.24;

/// The work whose peers are drawn.
pub(crate) const DRAWN_WORK: Work = Work::Root8;

/// Draws everything.
pub(crate) fn draw(figures: &Figures) -> anyhow::Result<Vec<Picture>> {
    let mut pictures = Vec::new();
    for grown in &figures.growth.series {
        let told = format!(
            "Processor time a span, in nanoseconds, against {}: zerospan's native calls, zerospan through the traits, the stock SDK. The table below has the figures.",
            grown.axis
        );
        pictures.push(themed(&grown.id, told, |theme| lines(grown, theme))?);
    }
    if let Some(entries) = by_work(&figures.peers).find(|all| all[0].work == DRAWN_WORK) {
        let told = format!(
            "Processor time a span of each peer, in nanoseconds, at {}. The table below has the figures.",
            entries[0].work.title()
        );
        pictures.push(themed("peers", told, |theme| bars(entries, theme))?);
    }
    Ok(pictures)
}

fn themed(
    name: &str,
    told: String,
    draw: impl Fn(&Theme) -> anyhow::Result<String>,
) -> anyhow::Result<Picture> {
    Ok(Picture {
        name: name.to_owned(),
        told,
        svgs: [draw(&THEMES[0])?, draw(&THEMES[1])?],
    })
}

/// How the two axes of a series are scaled. Values that double from one to the next stand at equal distances, which also has
/// a place for 0.
fn scales(grown: &Grown) -> (Option<Scale>, Scale) {
    match grown.id.as_str() {
        "attributes" => (Some(Scale::Linear), Scale::Linear),
        "length" | "in_flight" => (None, Scale::Log),
        _ => (None, Scale::Linear),
    }
}

fn lines(grown: &Grown, theme: &Theme) -> anyhow::Result<String> {
    let (across, up) = scales(grown);
    let places: Vec<f64> = match across {
        Some(_) => grown.points.iter().map(|point| point.at as f64).collect(),
        None => (0..grown.points.len()).map(|index| index as f64).collect(),
    };
    let value = |place: &f64| {
        let index = places.iter().position(|at| at == place);
        index.map_or_else(String::new, |index| grouped(grown.points[index].at))
    };
    // Small values lie close together where the axis is in proportion.
    let ticks: Vec<f64> = match across {
        Some(_) => places
            .iter()
            .copied()
            .filter(|at| *at == 0.0 || *at >= 8.0)
            .collect(),
        None => places.clone(),
    };
    let costs = || grown.points.iter().flat_map(|point| point.costs);
    let least = costs().map(|cost| cost.lower).fold(f64::INFINITY, f64::min);
    let most = costs().map(|cost| cost.upper).fold(1.0, f64::max);
    let axis = Axis::of(up, least.max(1.0), most);
    let last = *places.last().unwrap_or(&1.0);

    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(16)
            .margin_left(8)
            .margin_bottom(4)
            .margin_right(LABELS)
            .x_label_area_size(48)
            .y_label_area_size(72)
            .build_cartesian_2d(
                Ticks {
                    range: 0.0..last.max(1.0),
                    at: ticks,
                },
                axis.ticks(),
            )
            .map_err(|error| anyhow!("{error}"))?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(theme.grid)
            .light_line_style(theme.grid)
            .axis_style(theme.text)
            .label_style(text(theme.text))
            .axis_desc_style(text(theme.text))
            .x_label_formatter(&value)
            .y_label_formatter(&|place| grouped(axis.figure(*place).round() as u64))
            .x_desc(&grown.axis)
            .y_desc("CPU ns a span")
            .draw()?;
        let of_side = |side: usize| {
            let axis = &axis;
            let points = places.iter().zip(&grown.points);
            points.map(move |(at, point)| (*at, point.costs[side], axis))
        };
        let mut ends = Vec::new();
        for (side, colour) in theme.sides.into_iter().enumerate() {
            let middle = |(at, cost, axis): (f64, Cost, &Axis)| (at, axis.place(cost.median));
            chart.draw_series(LineSeries::new(
                of_side(side).map(middle),
                colour.stroke_width(2),
            ))?;
            chart.draw_series(of_side(side).map(|(at, cost, axis)| {
                let ends = vec![
                    (at, axis.place(cost.lower.max(1.0))),
                    (at, axis.place(cost.upper)),
                ];
                PathElement::new(ends, colour.stroke_width(1))
            }))?;
            for at in of_side(side).map(middle) {
                mark(&root, side, chart.backend_coord(&at), colour)?;
            }
            if let Some(end) = of_side(side).next_back() {
                ends.push((chart.backend_coord(&middle(end)), end.1.median));
            }
        }
        let heights: Vec<i32> = ends.iter().map(|((_, y), _)| *y).collect();
        for (side, y) in apart(&heights, 18).into_iter().enumerate() {
            let ((x, _), median) = ends[side];
            let label = format!("{}, {} ns", SIDES[side], figure(median));
            let style = text(theme.sides[side]).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(label, (x + 12, y), style))?;
        }
        root.present()?;
    }
    Ok(svg)
}

/// A shape for each side, besides its colour.
fn mark(
    root: &DrawingArea<SVGBackend<'_>, Shift>,
    side: usize,
    (x, y): (i32, i32),
    colour: Colour,
) -> anyhow::Result<()> {
    match side {
        0 => root.draw(&Circle::new((x, y), 4, colour.filled()))?,
        1 => root.draw(&TriangleMarker::new((x, y), 6, colour.filled()))?,
        _ => root.draw(&Rectangle::new(
            [(x - 4, y - 4), (x + 4, y + 4)],
            colour.filled(),
        ))?,
    }
    Ok(())
}

fn bars(entries: &[Entry], theme: &Theme) -> anyhow::Result<String> {
    let bars: Vec<(String, f64, bool)> = entries
        .iter()
        .filter_map(|entry| {
            let figures = entry.figures.as_ref()?;
            Some((name(entry), figures.cpu_ns, entry.peer.is_ours()))
        })
        .collect();
    let most = bars.iter().map(|(_, ns, _)| *ns).fold(1.0, f64::max);
    // The figure of the longest bar has a place before the end.
    let axis = Axis::of(Scale::Linear, 0.0, most * 1.08);
    // The first one on top.
    let places: Vec<f64> = (0..bars.len()).map(|index| -(index as f64)).collect();
    let name_at = |place: &f64| bars[(-place).round() as usize].0.clone();
    let height = 64 + 28 * bars.len() as u32;

    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (SIZE.0, height)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin_top(8)
            .margin_left(8)
            .margin_bottom(4)
            .margin_right(72)
            .x_label_area_size(48)
            .y_label_area_size(220)
            .build_cartesian_2d(
                axis.ticks(),
                Ticks {
                    range: 0.4 - bars.len() as f64..0.6,
                    at: places.clone(),
                },
            )
            .map_err(|error| anyhow!("{error}"))?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .bold_line_style(theme.grid)
            .light_line_style(theme.grid)
            .axis_style(theme.text)
            .label_style(text(theme.text))
            .axis_desc_style(text(theme.text))
            .x_label_formatter(&|place| grouped(place.round() as u64))
            .y_label_formatter(&name_at)
            .x_desc("CPU ns a span, all threads")
            .draw()?;
        for ((_, ns, ours), place) in bars.iter().zip(&places) {
            let colour = theme.sides[if *ours { 0 } else { 2 }];
            let corners = [(0.0, place + 0.32), (*ns, place - 0.32)];
            chart.draw_series([Rectangle::new(corners, colour.filled())])?;
            let (x, y) = chart.backend_coord(&(*ns, *place));
            let style = text(theme.text).pos(Pos::new(HPos::Left, VPos::Center));
            root.draw(&Text::new(figure(*ns), (x + 6, y), style))?;
        }
        root.present()?;
    }
    Ok(svg)
}

fn text(colour: Colour) -> TextStyle<'static> {
    (FONT, TEXT).into_font().color(&colour)
}
