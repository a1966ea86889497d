//! A disk that misbehaves on schedule, for tests and for the faults of virtual boards.

use super::Target;
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// One misbehaviour. Ranges are in bytes; `times` counts how often it strikes, `u32::MAX` is for
/// ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Writes that touch the range fail.
    WriteError {
        /// Where.
        range: Range<u64>,
        /// How often.
        times: u32,
    },
    /// Reads that touch the range fail.
    ReadError {
        /// Where.
        range: Range<u64>,
        /// How often.
        times: u32,
    },
    /// Writes that touch the range are acknowledged and not done.
    Lie {
        /// Where.
        range: Range<u64>,
        /// How often.
        times: u32,
    },
    /// One byte in the range is stored wrong.
    Corrupt {
        /// Where.
        range: Range<u64>,
        /// How often.
        times: u32,
    },
    /// The disk has fewer bytes than it says: everything past `bytes` fails.
    Shrink {
        /// The true size.
        bytes: u64,
    },
    /// The n-th write (counted from 0) stores its first half and fails.
    Short {
        /// Which write.
        write: u64,
    },
    /// The n-th write (counted from 0) and everything after it finds no power.
    PowerCut {
        /// Which write.
        write: u64,
    },
}

/// Adds faults to a [`FaultyTarget`] that is already at work.
#[derive(Debug, Clone, Default)]
pub struct Switch(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    faults: Vec<Fault>,
    writes: u64,
    no_power: bool,
}

impl Switch {
    /// Adds a fault.
    pub fn add(&self, fault: Fault) {
        self.lock().faults.push(fault);
    }

    /// Takes the power away: every operation fails from now on.
    pub fn cut_power(&self) {
        self.lock().no_power = true;
    }

    /// Number of writes so far, also those that failed.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A disk that misbehaves on schedule.
#[derive(Debug)]
pub struct FaultyTarget<T> {
    inner: T,
    switch: Switch,
}

impl<T: Target> FaultyTarget<T> {
    /// Wraps a sound disk.
    pub fn new(inner: T, faults: Vec<Fault>) -> Self {
        let switch = Switch::default();
        switch.lock().faults = faults;
        Self { inner, switch }
    }

    /// Wraps a sound disk with a switch that somebody else holds too.
    pub fn with_switch(inner: T, switch: Switch) -> Self {
        Self { inner, switch }
    }

    /// The switch.
    pub fn switch(&self) -> Switch {
        self.switch.clone()
    }

    /// The disk inside.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

/// What a write does instead of its duty.
enum Deed {
    Fail(&'static str),
    Drop,
    Flip(u64),
    Half,
    NoPower,
}

fn power() -> io::Error {
    io::Error::other("the disk has no power")
}

impl Fault {
    fn on_write(&mut self, number: u64, offset: u64, len: usize) -> Option<Deed> {
        match self {
            Self::PowerCut { write } => (number >= *write).then_some(Deed::NoPower),
            Self::Short { write } => (number == *write).then_some(Deed::Half),
            Self::Shrink { bytes } => {
                (offset + len as u64 > *bytes).then_some(Deed::Fail("critical target error"))
            }
            Self::WriteError { range, times } => {
                strikes(range, times, offset, len).then_some(Deed::Fail("medium error"))
            }
            Self::Lie { range, times } => strikes(range, times, offset, len).then_some(Deed::Drop),
            Self::Corrupt { range, times } => strikes(range, times, offset, len)
                .then(|| Deed::Flip(range.start.max(offset) - offset)),
            Self::ReadError { .. } => None,
        }
    }

    fn on_read(&mut self, offset: u64, len: usize) -> Option<&'static str> {
        match self {
            Self::Shrink { bytes } => {
                (offset + len as u64 > *bytes).then_some("critical target error")
            }
            Self::ReadError { range, times } => {
                strikes(range, times, offset, len).then_some("medium error")
            }
            _ => None,
        }
    }
}

/// Does a fault that strikes `times` times in `range` strike now? Counts it if so.
fn strikes(range: &Range<u64>, times: &mut u32, offset: u64, len: usize) -> bool {
    let touched = range.start < offset.saturating_add(len as u64) && offset < range.end;
    let strikes = touched && *times > 0;
    if strikes && *times != u32::MAX {
        *times -= 1;
    }
    strikes
}

impl<T: Target> Target for FaultyTarget<T> {
    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }

    fn sector(&self) -> u32 {
        self.inner.sector()
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        let deed = {
            let mut state = self.switch.lock();
            let number = state.writes;
            state.writes += 1;
            if state.no_power {
                return Err(power());
            }
            let mut faults = state.faults.iter_mut();
            faults.find_map(|fault| fault.on_write(number, offset, data.len()))
        };
        match deed {
            None => self.inner.write_at(offset, data),
            Some(Deed::Fail(why)) => Err(io::Error::other(why)),
            Some(Deed::Drop) => Ok(()),
            Some(Deed::Flip(at)) => {
                let mut wrong = data.to_vec();
                if let Some(byte) = wrong.get_mut(at as usize) {
                    *byte ^= 0x10;
                }
                self.inner.write_at(offset, &wrong)
            }
            Some(Deed::Half) => {
                let half = data.len() / 2 / 512 * 512;
                self.inner.write_at(offset, &data[..half])?;
                Err(io::ErrorKind::WriteZero.into())
            }
            Some(Deed::NoPower) => {
                self.switch.cut_power();
                Err(power())
            }
        }
    }

    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        {
            let mut state = self.switch.lock();
            if state.no_power {
                return Err(power());
            }
            let mut faults = state.faults.iter_mut();
            if let Some(why) = faults.find_map(|fault| fault.on_read(offset, into.len())) {
                return Err(io::Error::other(why));
            }
        }
        self.inner.read_back(offset, into)
    }

    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool> {
        if self.switch.lock().no_power {
            return Err(power());
        }
        self.inner.discard(offset, len)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.switch.lock().no_power {
            return Err(power());
        }
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryTarget;
    use super::*;

    #[test]
    fn each_fault_strikes_where_and_as_often_as_it_says() {
        let faults = vec![
            Fault::WriteError {
                range: 0..512,
                times: 1,
            },
            Fault::Corrupt {
                range: 1024..1025,
                times: 1,
            },
            Fault::Lie {
                range: 2048..2049,
                times: u32::MAX,
            },
        ];
        let mut disk = FaultyTarget::new(MemoryTarget::new(4096, 512, 0), faults);
        assert!(disk.write_at(0, &[1; 512]).is_err());
        disk.write_at(0, &[1; 512]).unwrap();
        disk.write_at(512, &[2; 1024]).unwrap();
        disk.write_at(2048, &[3; 512]).unwrap();
        let mut back = vec![0; 4096];
        disk.read_back(0, &mut back).unwrap();
        assert_eq!(
            (back[0], back[512], back[1024], back[1025]),
            (1, 2, 2 ^ 0x10, 2)
        );
        assert_eq!(back[2048], 0);
    }

    #[test]
    fn without_power_nothing_works() {
        let disk = MemoryTarget::new(4096, 512, 0);
        let mut disk = FaultyTarget::new(disk, vec![Fault::PowerCut { write: 1 }]);
        disk.write_at(0, &[1; 512]).unwrap();
        assert!(disk.write_at(512, &[1; 512]).is_err());
        assert!(disk.flush().is_err());
        assert!(disk.read_back(0, &mut [0; 512]).is_err());
    }
}
