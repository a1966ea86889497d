//! Taking turns, and a table of what came out.

use std::time::Duration;

/// One contestant of a race.
pub(crate) struct Contestant<'a> {
    /// Its name in the table.
    pub(crate) name: String,
    /// One run; how long it took.
    pub(crate) run: Box<dyn FnMut() -> Duration + 'a>,
}

impl<'a> Contestant<'a> {
    /// A contestant.
    pub(crate) fn new(name: &str, run: impl FnMut() -> Duration + 'a) -> Self {
        Self {
            name: name.to_owned(),
            run: Box::new(run),
        }
    }
}

/// Lets all take turns for some rounds and prints a table: the first contestant is ours, the others
/// are peers. `amount` is what one run moves, in `unit`.
pub(crate) fn race(title: &str, rounds: u32, amount: f64, unit: &str, all: &mut [Contestant<'_>]) {
    let mut best = vec![Duration::MAX; all.len()];
    for _ in 0..rounds {
        for (contestant, best) in all.iter_mut().zip(&mut best) {
            *best = (*best).min((contestant.run)());
        }
    }
    println!("\n{title} (best of {rounds}, taking turns)");
    println!(
        "  {:<34} {:>9} {:>14} {:>10}",
        "", "seconds", unit, "ours/it"
    );
    let ours = best.first().copied().unwrap_or_default().as_secs_f64();
    for (contestant, best) in all.iter().zip(&best) {
        let seconds = best.as_secs_f64();
        println!(
            "  {:<34} {:>9.3} {:>14.1} {:>9.2}x",
            contestant.name,
            seconds,
            amount / seconds,
            seconds / ours
        );
    }
}

/// Prints one figure beside what it should be.
pub(crate) fn figure(what: &str, value: &str, aim: &str) {
    println!("  {what:<44} {value:>12}   aim: {aim}");
}
