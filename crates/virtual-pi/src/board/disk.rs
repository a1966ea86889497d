//! The disk of a virtual board: a file, its faults, and a plug that can be pulled at any byte.

use crate::faults::{Cuts, Moment};
use crate::power::{NoPower, Power};
use crate::speed::{Brake, Speed};
use imaging::target::Target;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// What went over a disk's cable since power-on.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    written: AtomicU64,
    read: AtomicU64,
}

/// A disk that stops when its board loses power, and at whose bytes the power can be made to go.
#[derive(Debug)]
pub(crate) struct Medium<T> {
    inner: T,
    power: Power,
    cuts: Cuts,
    traffic: Arc<Traffic>,
    brake: Brake,
}

const SECTOR: usize = 512;

impl<T: Target> Medium<T> {
    pub(crate) fn new(
        inner: T,
        power: Power,
        cuts: Cuts,
        traffic: Arc<Traffic>,
        speed: Option<Speed>,
    ) -> Self {
        Self {
            inner,
            power,
            cuts,
            traffic,
            brake: Brake::new(speed),
        }
    }

    fn powered(&self) -> io::Result<()> {
        self.power.check().map_err(gone)
    }

    fn cut(&self) -> io::Error {
        self.power.cut();
        gone(NoPower)
    }
}

fn gone(e: NoPower) -> io::Error {
    io::Error::other(e)
}

// The first sector as a partition table, not as the marker of an unfinished deployment.
fn seals(offset: u64, data: &[u8]) -> bool {
    offset == 0 && data.get(510..512) == Some(&[0x55, 0xaa])
}

impl<T: Target> Target for Medium<T> {
    fn bytes(&self) -> u64 {
        self.inner.bytes()
    }

    fn sector(&self) -> u32 {
        self.inner.sector()
    }

    fn write_at(&mut self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.powered()?;
        let wait = self.brake.writing(data.len(), Instant::now());
        self.power.sleep(wait).map_err(gone)?;
        let before = self
            .traffic
            .written
            .fetch_add(data.len() as u64, Ordering::Relaxed);
        let after = before + data.len() as u64;
        let at_byte = |m: &Moment| matches!(m, Moment::Written(n) if (before..after).contains(n));
        if let Some(Moment::Written(at)) = self.cuts.take(at_byte) {
            // What had reached the medium by then: whole sectors.
            let torn = (at - before) as usize / SECTOR * SECTOR;
            self.inner.write_at(offset, &data[..torn])?;
            return Err(self.cut());
        }
        let sealing = seals(offset, data);
        if sealing && self.cuts.take(|m| *m == Moment::Sealing).is_some() {
            return Err(self.cut());
        }
        self.inner.write_at(offset, data)?;
        if sealing && self.cuts.take(|m| *m == Moment::Sealed).is_some() {
            return Err(self.cut());
        }
        Ok(())
    }

    fn read_back(&mut self, offset: u64, into: &mut [u8]) -> io::Result<()> {
        self.powered()?;
        let wait = self.brake.reading(into.len(), Instant::now());
        self.power.sleep(wait).map_err(gone)?;
        let before = self
            .traffic
            .read
            .fetch_add(into.len() as u64, Ordering::Relaxed);
        let after = before + into.len() as u64;
        let at_byte = |m: &Moment| matches!(m, Moment::ReadBack(n) if (before..after).contains(n));
        if self.cuts.take(at_byte).is_some() {
            return Err(self.cut());
        }
        self.inner.read_back(offset, into)
    }

    fn discard(&mut self, offset: u64, len: u64) -> io::Result<bool> {
        self.powered()?;
        self.inner.discard(offset, len)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.powered()?;
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imaging::target::MemoryTarget;

    fn medium(cuts: &[Moment], power: &Power) -> Medium<MemoryTarget> {
        let disk = MemoryTarget::new(1 << 20, 512, 0);
        Medium::new(disk, power.clone(), Cuts::new(cuts), Arc::default(), None)
    }

    #[test]
    fn a_cut_tears_the_write_it_falls_into() {
        let power = Power::default();
        let mut disk = medium(&[Moment::Written(4096 + 700)], &power);
        disk.write_at(0, &[1; 4096]).unwrap();
        assert!(disk.write_at(4096, &[2; 4096]).is_err());
        assert!(!power.is_on() && disk.flush().is_err());
        power.restore();
        let mut back = [9; 8192];
        disk.read_back(0, &mut back).unwrap();
        assert_eq!((back[4096], back[4096 + 511], back[4096 + 512]), (2, 2, 0));
    }

    #[test]
    fn the_seal_can_be_missed_or_made_unheard() {
        let mut sector = [0; 512];
        sector[510..].copy_from_slice(&[0x55, 0xaa]);
        for (moment, there) in [(Moment::Sealing, 0), (Moment::Sealed, 0xaa)] {
            let power = Power::default();
            let mut disk = medium(&[moment], &power);
            disk.write_at(0, &[0; 512]).unwrap();
            assert!(disk.write_at(0, &sector).is_err(), "{moment:?}");
            power.restore();
            let mut back = [0; 512];
            disk.read_back(0, &mut back).unwrap();
            assert_eq!(back[511], there, "{moment:?}");
        }
    }
}
