//! The boot files that a board fetches: how far it came, and whether it stops at the same one again.
//!
//! Kept in memory alone. It is what the rules of [`super::advice`] know of a silent bootloader.

/// What a board fetched in its present boot, and where its last boots stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// The file that it fetched last.
    pub last: Option<Reading>,
    /// Files that it was given in this boot.
    pub served: u32,
    /// Files that it asked for in this boot and that were not there.
    pub missing: u32,
    /// Where the boots before this one stopped.
    pub stopped: Option<Stopped>,
}

/// A file being fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Its path.
    pub path: String,
    /// Bytes that the board acknowledged.
    pub sent: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Has the board the whole of it?
    pub whole: bool,
}

/// Where boots stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// The file.
    pub path: String,
    /// Boots in a row that ended with it.
    pub times: u32,
}

impl Files {
    /// The bootloader begins anew; `loading` when it was still loading before.
    pub fn begin(&mut self, loading: bool) {
        let last = self.last.take().filter(|_| loading);
        self.stopped = last.map(|last| {
            let before = self.stopped.take().filter(|s| s.path == last.path);
            Stopped {
                path: last.path,
                times: before.map_or(1, |s| s.times + 1),
            }
        });
        self.served = 0;
        self.missing = 0;
    }

    /// The boot files have done their work.
    pub fn arrived(&mut self) {
        self.stopped = None;
    }

    /// A file of `size` bytes is on its way.
    pub fn started(&mut self, path: &str, size: u64) {
        self.served += 1;
        self.last = Some(Reading {
            path: path.to_owned(),
            sent: 0,
            size,
            whole: false,
        });
    }

    /// The board has `sent` bytes of a file.
    pub fn reached(&mut self, path: &str, sent: u64) {
        if let Some(last) = self.last.as_mut().filter(|last| last.path == path) {
            last.sent = last.sent.max(sent);
        }
    }

    /// The board has the whole of a file of `size` bytes.
    pub fn finished(&mut self, path: &str, size: u64) {
        self.last = Some(Reading {
            path: path.to_owned(),
            sent: size,
            size,
            whole: true,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boots_that_stop_at_one_file_are_counted_and_another_file_begins_anew() {
        let mut files = Files::default();
        for times in 1..=2 {
            files.started("config.txt", 10);
            files.finished("config.txt", 10);
            files.started("kernel.img", 1000);
            files.reached("kernel.img", 500);
            files.begin(true);
            let stopped = files.stopped.clone().unwrap();
            assert_eq!(
                (stopped.path.as_str(), stopped.times),
                ("kernel.img", times)
            );
        }
        files.started("config.txt", 10);
        files.begin(true);
        assert_eq!(files.stopped.clone().unwrap().times, 1);
        files.started("config.txt", 10);
        files.begin(false);
        assert_eq!(files.stopped, None, "that boot had come further");
    }
}
