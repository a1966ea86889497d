//! Prometheus' text format, version 0.0.4: each metric once, with its help and its type.

use std::fmt::Write as _;

/// What a number means over time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// It only grows, until the station starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Shares of what was measured, with how often it was.
    Summary,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Summary => "summary",
        }
    }
}

/// A page under way.
#[derive(Debug, Default)]
pub(super) struct Page(pub(super) String);

impl Page {
    /// A metric with one line.
    pub(super) fn one(&mut self, kind: Kind, name: &str, help: &str, value: f64) {
        self.many(kind, name, help, [([("", ""); 0], value)]);
    }

    /// A metric with a line for each set of labels.
    pub(super) fn many<'l, L, V>(
        &mut self,
        kind: Kind,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (L, f64)>,
    ) where
        L: AsRef<[(&'l str, V)]>,
        V: AsRef<str> + 'l,
    {
        let word = kind.word();
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {word}");
        for (labels, value) in rows {
            self.line(name, labels.as_ref(), value);
        }
    }

    /// One more line of the metric that was begun last.
    pub(super) fn line<V: AsRef<str>>(&mut self, name: &str, labels: &[(&str, V)], value: f64) {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| format!("{name}=\"{}\"", quoted(value.as_ref())))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            some => format!("{{{}}}", some.join(",")),
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn quoted(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}
