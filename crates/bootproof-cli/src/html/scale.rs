//! A scale on which every figure of a chart can be seen.

/// Above this ratio of the largest figure to the smallest, the smallest bar of a linear scale would be a line.
const MOST_LINEAR: f64 = 25.0;

/// From a figure to a place between 0 and 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    kind: Kind,
    low: f64,
    high: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Linear,
    /// With a line for every so many powers of ten.
    Logarithmic {
        decades: u8,
    },
}

impl Scale {
    /// The scale for these figures; `None` where none of them is above zero.
    pub(super) fn fit(figures: impl Iterator<Item = f64>) -> Option<Self> {
        let figures = figures.filter(|figure| figure.is_finite() && *figure > 0.0);
        let (least, most) =
            figures.fold((f64::MAX, 0.0_f64), |(least, most), figure| (least.min(figure), most.max(figure)));
        if most <= 0.0 {
            return None;
        }
        let high = round_up(most);
        if most / least <= MOST_LINEAR {
            return Some(Self { kind: Kind::Linear, low: 0.0, high });
        }
        // Half a decade of room, so that the smallest figure still has a bar.
        let low = 10_f64.powf((least / 2.0).log10().floor());
        // More than six lines do not fit on the screen of a telephone.
        let decades = if (high / low).log10() > 5.5 { 2 } else { 1 };
        Some(Self { kind: Kind::Logarithmic { decades }, low, high })
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }

    /// The place of a figure, between 0 and 1.
    pub(super) fn place(&self, figure: f64) -> f64 {
        let place = match self.kind {
            Kind::Linear => figure / self.high,
            Kind::Logarithmic { .. } => (figure / self.low).log10() / (self.high / self.low).log10(),
        };
        if place.is_finite() { place.clamp(0.0, 1.0) } else { 0.0 }
    }

    /// Where to draw a line across, and what to write on it.
    pub(super) fn ticks(&self) -> Vec<f64> {
        match self.kind {
            Kind::Linear => (0..=4).map(|quarter| self.high * f64::from(quarter) / 4.0).collect(),
            Kind::Logarithmic { decades } => {
                let powers = (0_u8..60).step_by(decades.into()).map(|power| self.low * 10_f64.powi(i32::from(power)));
                powers.take_while(|tick| *tick <= self.high * 1.001).collect()
            }
        }
    }
}

/// The next figure of the form 1, 2 or 5 times a power of ten.
fn round_up(figure: f64) -> f64 {
    let power = 10_f64.powf(figure.log10().floor());
    let steps = [1.0, 2.0, 5.0].map(|step| step * power);
    steps.into_iter().find(|step| *step >= figure).unwrap_or(10.0 * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_one_size_are_linear() {
        let scale = Scale::fit([10.0, 114.0].into_iter()).unwrap();
        assert_eq!((scale.kind(), scale.ticks()), (Kind::Linear, vec![0.0, 50.0, 100.0, 150.0, 200.0]));
        assert!((scale.place(100.0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn figures_of_many_sizes_are_logarithmic_and_all_have_a_bar() {
        let scale = Scale::fit([114.0, 1.6, 0.012].into_iter()).unwrap();
        assert_eq!(scale.kind(), Kind::Logarithmic { decades: 1 });
        assert_eq!(scale.ticks().len(), 6);
        assert!(scale.place(0.012) > 0.05 && scale.place(114.0) < 1.0, "{scale:?}");
        assert!(scale.place(1.6) > scale.place(0.012));
    }

    #[test]
    fn figures_that_are_none_have_no_place() {
        assert_eq!(Scale::fit([0.0, f64::NAN, f64::INFINITY].into_iter()), None);
        let scale = Scale::fit([1.0].into_iter()).unwrap();
        assert!([f64::NAN, -1.0, 0.0].map(|figure| scale.place(figure)).iter().all(|place| *place <= 0.0));
    }
}
