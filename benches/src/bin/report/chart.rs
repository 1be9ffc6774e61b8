//! Scales and colours of the pictures.

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};
use plotters::style::RGBColor;
use std::ops::Range;

/// Colours that those who confuse some can tell apart (after Okabe and Ito), on a light or a dark page; the background is
/// the page's.
#[derive(Clone, Copy)]
pub(crate) struct Theme {
    pub(crate) name: &'static str,
    pub(crate) text: Colour,
    pub(crate) grid: Colour,
    /// One for each side.
    pub(crate) sides: [Colour; 3],
}

pub(crate) type Colour = RGBColor;

pub(crate) const THEMES: [Theme; 2] = [
    Theme {
        name: "light",
        text: colour(0x24_29_2f),
        grid: colour(0xd0_d7_de),
        sides: [colour(0x00_5f_9e), colour(0x00_7a_5a), colour(0xb8_4f_00)],
    },
    Theme {
        name: "dark",
        text: colour(0xe6_ed_f3),
        grid: colour(0x37_3e_47),
        sides: [colour(0x56_b4_e9), colour(0x35_c9_9a), colour(0xf0_a0_30)],
    },
];

const fn colour(rgb: u32) -> Colour {
    RGBColor((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

/// How values become places on an axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// In proportion, from 0.
    Linear,
    /// By the order of magnitude.
    Log,
}

/// An axis: its scale, its ticks and its range, which are all in places.
pub(crate) struct Axis {
    ticks: Vec<f64>,
    range: Range<f64>,
    scale: Scale,
}

impl Axis {
    /// An axis for figures above 0, up to `most`.
    pub(crate) fn of(scale: Scale, least: f64, most: f64) -> Self {
        match scale {
            Scale::Linear => Self::linear(most),
            Scale::Log => Self::log(least, most),
        }
    }

    fn linear(most: f64) -> Self {
        const TICKS: f64 = 6.0;
        let rough = most / TICKS;
        let magnitude = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0]
            .map(|factor| factor * magnitude)
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let count = (most / step).ceil() as usize;
        Self {
            ticks: (0..=count).map(|index| index as f64 * step).collect(),
            range: 0.0..count as f64 * step,
            scale: Scale::Linear,
        }
    }

    fn log(least: f64, most: f64) -> Self {
        let decades = least.log10().floor() as i32..=most.log10().floor() as i32;
        let marks = decades
            .flat_map(|decade| [1.0, 2.0, 5.0, 10.0].map(|factor| factor * 10_f64.powi(decade)));
        let mut marks: Vec<f64> = marks.collect();
        marks.dedup();
        // The outermost marks enclose all figures.
        let first = marks.iter().rposition(|mark| *mark <= least).unwrap_or(0);
        let last = marks.iter().position(|mark| *mark >= most);
        let marks = &marks[first..=last.unwrap_or(marks.len() - 1)];
        let ticks: Vec<f64> = marks.iter().map(|mark| mark.log10()).collect();
        Self {
            range: ticks[0]..ticks[ticks.len() - 1],
            ticks,
            scale: Scale::Log,
        }
    }

    pub(crate) fn ticks(&self) -> Ticks {
        Ticks {
            range: self.range.clone(),
            at: self.ticks.clone(),
        }
    }

    /// Where a figure stands.
    pub(crate) fn place(&self, figure: f64) -> f64 {
        match self.scale {
            Scale::Linear => figure,
            Scale::Log => figure.log10(),
        }
    }

    /// Which figure stands at a place.
    pub(crate) fn figure(&self, place: f64) -> f64 {
        match self.scale {
            Scale::Linear => place,
            Scale::Log => 10_f64.powf(place),
        }
    }
}

/// A range with ticks where it is told to have them: plotters' own combinator for it does not let labels be formatted.
pub(crate) struct Ticks {
    pub(crate) range: Range<f64>,
    pub(crate) at: Vec<f64>,
}

impl Ranged for Ticks {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.at.clone()
    }

    fn range(&self) -> Range<f64> {
        self.range.clone()
    }
}

/// Moves labels apart that would lie upon one another: the places, in the order in which they are given.
pub(crate) fn apart(places: &[i32], distance: i32) -> Vec<i32> {
    // Only so often: in halves of halves, what is left of an overlap is soon less than a pixel.
    const STEPS: usize = 64;
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|index| places[*index]);
    let mut moved: Vec<f64> = places.iter().copied().map(f64::from).collect();
    for _ in 0..STEPS {
        for pair in order.windows(2) {
            let overlap = f64::from(distance) - (moved[pair[1]] - moved[pair[0]]);
            if overlap > 0.0 {
                moved[pair[0]] -= overlap / 2.0;
                moved[pair[1]] += overlap / 2.0;
            }
        }
    }
    moved
        .into_iter()
        .map(|place| place.round() as i32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Axis, Scale, apart};

    #[test]
    fn ticks_of_a_linear_axis_are_round_and_enclose_the_figures() {
        let axis = Axis::of(Scale::Linear, 3.0, 4_116.0);
        assert_eq!(
            axis.ticks,
            [0.0, 1_000.0, 2_000.0, 3_000.0, 4_000.0, 5_000.0]
        );
    }

    #[test]
    fn ticks_of_a_log_axis_are_1_2_and_5_and_enclose_the_figures() {
        let axis = Axis::of(Scale::Log, 140.0, 29_000.0);
        let marks: Vec<f64> = axis
            .ticks
            .iter()
            .map(|tick| axis.figure(*tick).round())
            .collect();
        assert_eq!(
            marks,
            [
                100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0, 50_000.0
            ]
        );
        assert!((axis.figure(axis.place(140.0)) - 140.0).abs() < 1e-9);
    }

    #[test]
    fn labels_do_not_lie_upon_one_another() {
        for places in [[100, 101, 10], [50, 50, 50], [10, 100, 200]] {
            let mut moved = apart(&places, 16);
            moved.sort_unstable();
            // A pixel is what rounding takes.
            assert!(
                moved.windows(2).all(|pair| pair[1] - pair[0] >= 15),
                "{moved:?}"
            );
        }
        assert_eq!(apart(&[100, 10, 200], 16), [100, 10, 200]);
    }
}
