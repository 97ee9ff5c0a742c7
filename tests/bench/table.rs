//! The table of figures: a line for each kind of work, with its ratio to what cannot be had faster.

use std::fmt;

use crate::driver::Result;
use crate::measure::Took;

/// All figures.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    work: &'static str,
    /// The works whose medians together are the floor of this one.
    floor: &'static [&'static str],
    /// Milliseconds, sorted.
    times: Vec<f64>,
    peak_kib: u64,
}

impl Table {
    /// Does some work so many times, and notes what it took.
    pub(crate) fn add(
        &mut self,
        (work, floor): (&'static str, &'static [&'static str]),
        runs: usize,
        mut run: impl FnMut(usize) -> Result<Took>,
    ) -> Result<()> {
        let took: Vec<Took> = (0..runs).map(&mut run).collect::<Result<_>>()?;
        let mut times: Vec<f64> = took.iter().map(|took| took.seconds * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        let peak_kib = took.iter().map(|took| took.peak_kib).max().unwrap_or(0);
        eprintln!("{work}: {:.1} ms", median(&times));
        self.rows.push(Row { work, floor, times, peak_kib });
        Ok(())
    }

    /// Notes the peak memory of a work that is there already.
    pub(crate) fn peak(&mut self, work: &str, kib: u64) {
        self.rows.iter_mut().filter(|row| row.work == work).for_each(|row| row.peak_kib = kib);
    }

    fn ratio(&self, row: &Row) -> Option<f64> {
        let found =
            |work: &&str| self.rows.iter().find(|row| row.work == *work).map(|row| median(&row.times));
        let floor: Option<Vec<f64>> = row.floor.iter().map(found).collect();
        let floor = floor.filter(|floor| !floor.is_empty())?.iter().sum::<f64>();
        Some(median(&row.times) / floor)
    }
}

/// Of sorted figures.
fn median(sorted: &[f64]) -> f64 {
    match sorted {
        [] => f64::NAN,
        _ => f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]),
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:44} {:>9} {:>9} {:>4} {:>8} {:>6}  of",
            "work", "median ms", "least ms", "runs", "peak MB", "ratio"
        )?;
        for row in &self.rows {
            let (time, least) = (median(&row.times), row.times.first().copied().unwrap_or(f64::NAN));
            write!(f, "{:44} {time:9.1} {least:9.1} {:4}", row.work, row.times.len())?;
            match row.peak_kib {
                0 => write!(f, " {:>8}", "")?,
                #[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
                kib => write!(f, " {:8.1}", kib as f64 / 1024.0)?,
            }
            match self.ratio(row) {
                Some(ratio) => writeln!(f, " {ratio:6.2}  {}", row.floor.join(" + "))?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
