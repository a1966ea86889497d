//! What can go wrong with a virtual board. Each fault stands alone, and any of them may be mixed;
//! whatever chance decides is drawn from the board's seed.

use crate::bootloader::Firmware;
use crate::network::Wire;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub use imaging::target::Fault as DiskFault;

/// Everything that goes wrong with one board. The default is nothing.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// The version of its firmware: old ones cannot count past block 65535.
    pub firmware: Firmware,
    /// Lost and doubled datagrams while it boots.
    pub wire: Wire,
    /// How long after the others it is switched on.
    pub late: Duration,
    /// Moments at which its power is cut, once each; it comes back a little later.
    pub cuts: Vec<Moment>,
    /// After a cut the power stays away: the board is never heard of again.
    pub stays_dark: bool,
    /// What its disk does wrong.
    pub disk: Vec<DiskFault>,
    /// Size of its disk in bytes, when it is not that of the others.
    pub disk_bytes: Option<u64>,
    /// Its disk holds a system already, one that no Raspberry Pi boots from.
    pub used: bool,
}

/// A moment in a board's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before it asks for its n-th boot file, counted from 0 over all its boots.
    BootFile(u32),
    /// When so many bytes of this power cycle have been written to the disk, the last write torn.
    Written(u64),
    /// When so many bytes of this power cycle have been read back.
    ReadBack(u64),
    /// When the agent opens the installed system to change it.
    Personalising,
    /// Just before the first sector is written.
    Sealing,
    /// Just after the first sector was written, before anybody heard of it.
    Sealed,
}

impl std::str::FromStr for Moment {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (word, number) = text.split_once(':').unwrap_or((text, "0"));
        let bad = |_| format!("{number:?} in {text:?} is not a number");
        let number: u64 = number.parse().map_err(bad)?;
        match word {
            "boot" => Ok(Self::BootFile(u32::try_from(number).unwrap_or(u32::MAX))),
            "written" => Ok(Self::Written(number)),
            "read" => Ok(Self::ReadBack(number)),
            "personalising" => Ok(Self::Personalising),
            "sealing" => Ok(Self::Sealing),
            "sealed" => Ok(Self::Sealed),
            _ => Err(format!(
                "{text:?} is no moment for a power cut; there are boot:N, written:BYTES, \
                 read:BYTES, personalising, sealing and sealed"
            )),
        }
    }
}

/// The cuts that are still to come; shared by everything that can notice a moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cuts(Arc<Mutex<Vec<Moment>>>);

impl Cuts {
    pub(crate) fn new(moments: &[Moment]) -> Self {
        Self(Arc::new(Mutex::new(moments.to_vec())))
    }

    /// Takes a cut that is due out of the list.
    pub(crate) fn take(&self, is_due: impl Fn(&Moment) -> bool) -> Option<Moment> {
        let mut left = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = left.iter().position(is_due)?;
        Some(left.swap_remove(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_and_strikes_once() {
        assert_eq!("written:4096".parse(), Ok(Moment::Written(4096)));
        assert_eq!("sealed".parse(), Ok(Moment::Sealed));
        assert!("written:x".parse::<Moment>().is_err());
        assert!("lunch".parse::<Moment>().unwrap_err().contains("boot:N"));
        let cuts = Cuts::new(&[Moment::Sealing, Moment::Written(10)]);
        let due = |m: &Moment| matches!(m, Moment::Written(n) if *n <= 12);
        assert_eq!(cuts.clone().take(due), Some(Moment::Written(10)));
        assert_eq!(cuts.take(due), None);
    }
}
